// C side of package mujoco: every entry that can raise an engine error is one
// function that arms a jump target, calls the engine and disarms it, so that no
// Go frame is ever jumped over.
#ifndef MITORI_MUJOCO_SHIM_H_
#define MITORI_MUJOCO_SHIM_H_

#include <mujoco/mujoco.h>
#include <mujoco/mjbatch.h>

enum { MIT_ERR = 1024 };

// Loads a model from memory. names/data/sizes are nfile asset files. With
// physics_only, geoms and materials that no force depends on are left out.
mjModel* mit_load(const char* name, const void* xml, int nxml, int nfile, char** names,
                  void** data, int* sizes, int physics_only, char* err);

mjData* mit_make_data(const mjModel* m, char* err);

// Each returns 0, or 1 with the engine's message in err.
int mit_step(const mjModel* m, mjData* d, int n, char* err);
int mit_forward(const mjModel* m, mjData* d, char* err);
int mit_inverse(const mjModel* m, mjData* d, char* err);
int mit_kinematics(const mjModel* m, mjData* d, char* err);
int mit_set_const(mjModel* m, mjData* d, char* err);
int mit_transition_fd(const mjModel* m, mjData* d, double eps, int centred, double* A, double* B,
                      char* err);

// Looks a field up by its name in mjModel or mjData. type: 0 double, 1 int.
// Returns NULL when there is no such field of one of these types.
void* mit_model_field(mjModel* m, const char* name, int* n, int* type);
void* mit_data_field(const mjModel* m, mjData* d, const char* name, int* n, int* type);

double mit_contact_force(const mjModel* m, const mjData* d, int id);

mjBatch* mit_make_batch(const mjModel* m, int nsim, int nthread, char* err);

// One control period of each listed simulation: nsub engine steps with target
// ctrl_old until sub-step switch_at, ctrl_new from it on, then kinematics.
typedef struct {
  int nsub;
  int nu;
  const double* ctrl_old;  // nsim x nu
  const double* ctrl_new;  // nsim x nu
  const int* switch_at;    // nsim
  int ntrack;
  const int* track;        // ntrack body ids
  double* pose;            // nsim x ntrack x 7: position, quaternion after the period
  int nfoot;
  const int* foot_geom;    // nfoot geom ids
  const double* speed;     // nsim x 2: knee speed and no-load speed of the servos; 0: no limit
  double* foot_force;      // nsim x nfoot: normal force, mean over the sub-steps
  double* foot_slide;      // nsim x nfoot: sliding speed of the loaded foot, mean over the sub-steps
  double* foot_pos;        // nsim x nfoot x 3: centre of the sole after the period, world
  double* foot_vel;        // nsim x nfoot x 3: its velocity, world
  double* torque;          // nsim x nu: mean actuator force
  double* torque_sq;       // nsim x nu: mean square of the actuator force
  double* torque_sat;      // nsim x nu: share of sub-steps at the force limit
  int* other_contact;      // nsim: contacts of anything but the feet, last sub-step
} mit_period;

int mit_run_period(mjBatch* b, const int* ids, int nid, const mit_period* p);
int mit_refresh_poses(mjBatch* b, const int* ids, int nid, const mit_period* p);

#endif
