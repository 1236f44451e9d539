//go:build mujoco && cgo

#include "shim.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

// Jump target and message of the guarded call that runs on this thread.
static __thread sigjmp_buf* mit_target;
static __thread char* mit_message;

// Replaces the default handler, which writes a log file and ends the process.
// Warnings are counted in mjData and need no text. mjBatch arms its own
// recovery on its threads, so an error without a target here has no caller to
// return to: say so and let the engine stop the process.
static void mit_log(const mjLogMessage* msg) {
  if (msg->level != mjLOG_ERROR) return;
  if (!mit_target) {
    fprintf(stderr, "mujoco: error outside a guarded call: %s\n", msg->subject);
    return;
  }
  snprintf(mit_message, MIT_ERR, "%s", msg->subject);
  siglongjmp(*mit_target, 1);
}

static void mit_install(void) { mju_setLogHandler(mit_log); }

static void mit_once(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, mit_install);
}

// Runs stmt with recovery armed; evaluates to the function's return value.
#define MIT_GUARD(err, stmt)          \
  do {                                \
    sigjmp_buf target;                \
    mit_message = (err);              \
    if (sigsetjmp(target, 0)) {       \
      mit_target = NULL;              \
      return 1;                       \
    }                                 \
    mit_target = &target;             \
    stmt;                             \
    mit_target = NULL;                \
    return 0;                         \
  } while (0)

mjModel* mit_load(const char* name, const void* xml, int nxml, int nfile, char** names,
                  void** data, int* sizes, int physics_only, char* err) {
  mit_once();
  mjVFS vfs;
  mj_defaultVFS(&vfs);
  mjModel* m = NULL;
  int rc = mj_addBufferVFS(&vfs, name, xml, nxml);
  for (int i = 0; rc == 0 && i < nfile; i++) {
    rc = mj_addBufferVFS(&vfs, names[i], data[i], sizes[i]);
  }
  if (rc != 0) {
    snprintf(err, MIT_ERR, "cannot hold the files in memory (code %d; 2: the same name twice)", rc);
  } else {
    // Parser and compiler catch their own errors.
    mjSpec* s = mj_parseXML(name, &vfs, err, MIT_ERR);
    if (s) {
      if (physics_only) s->compiler.discardvisual = 1;
      m = mj_compile(s, &vfs);
      if (!m) snprintf(err, MIT_ERR, "%s", mjs_getError(s));
      mj_deleteSpec(s);
    }
  }
  mj_deleteVFS(&vfs);
  return m;
}

static int mit_make_data_guarded(const mjModel* m, mjData** d, char* err) {
  MIT_GUARD(err, *d = mj_makeData(m));
}

mjData* mit_make_data(const mjModel* m, char* err) {
  mjData* d = NULL;
  return mit_make_data_guarded(m, &d, err) ? NULL : d;
}

int mit_step(const mjModel* m, mjData* d, int n, char* err) {
  MIT_GUARD(err, for (int i = 0; i < n; i++) mj_step(m, d));
}
int mit_forward(const mjModel* m, mjData* d, char* err) { MIT_GUARD(err, mj_forward(m, d)); }
int mit_inverse(const mjModel* m, mjData* d, char* err) { MIT_GUARD(err, mj_inverse(m, d)); }
int mit_kinematics(const mjModel* m, mjData* d, char* err) {
  MIT_GUARD(err, { mj_kinematics(m, d); mj_comPos(m, d); });
}
int mit_set_const(mjModel* m, mjData* d, char* err) { MIT_GUARD(err, mj_setConst(m, d)); }
int mit_transition_fd(const mjModel* m, mjData* d, double eps, int centred, double* A, double* B,
                      char* err) {
  MIT_GUARD(err, mjd_transitionFD(m, d, eps, centred, A, B, NULL, NULL));
}

// Field tables are generated from the engine's own X macros, so that no name or
// size is written twice. Types other than double, int and bool get type -1.
#define MIT_TYPE(p) _Generic((p), double*: 0, int*: 1, mjtBool*: 2, default: -1)
#define MIT_FOUND(p, count)      \
  do {                           \
    *n = (int)(count);           \
    *type = MIT_TYPE(p);         \
    return *type < 0 ? NULL : (void*)(p); \
  } while (0)

void* mit_model_field(mjModel* m, const char* name, int* n, int* type) {
#undef MJ_M
#define MJ_M(x) m->x
#define X(t, field, nr, nc) \
  if (!strcmp(name, #field)) MIT_FOUND(m->field, (mjtSize)m->nr * (nc));
  MJMODEL_POINTERS
#undef X
  return NULL;
}

void* mit_data_field(const mjModel* m, mjData* d, const char* name, int* n, int* type) {
#define X(t, field, nr, nc) \
  if (!strcmp(name, #field)) MIT_FOUND(d->field, (mjtSize)m->nr * (nc));
  MJDATA_POINTERS
#undef X
#undef MJ_M
#define MJ_M(x) x
  return NULL;
}

double mit_contact_force(const mjModel* m, const mjData* d, int id) {
  mjtNum f[6];
  mj_contactForce(m, d, id, f);
  return f[0];
}

mjBatch* mit_make_batch(const mjModel* m, int nsim, int nthread, char* err) {
  mit_once();
  mjBatchConfig c;
  mjb_defaultConfig(&c);
  c.nthread = nthread;
  return mjb_makeBatch(m, nsim, &c, err, MIT_ERR);
}

static void mit_copy_poses(const mjData* d, int sim, const mit_period* p) {
  double* row = p->pose + (size_t)sim * p->ntrack * 7;
  for (int i = 0; i < p->ntrack; i++, row += 7) {
    mju_copy(row, d->xpos + 3 * p->track[i], 3);
    mju_copy(row + 3, d->xquat + 4 * p->track[i], 4);
  }
}

// Speed at which a loaded foot slides over the floor: its velocity at the
// contact point, without the part along the normal.
static void mit_feet(const mjModel* m, const mjData* d, int sim, const mit_period* p) {
  double load[8] = {0}, slide[8] = {0};
  int other = 0;
  for (int c = 0; c < d->ncon; c++) {
    const mjContact* con = d->contact + c;
    if (con->efc_address < 0) continue;
    int foot = -1;
    for (int f = 0; f < p->nfoot; f++) {
      if (con->geom[0] == p->foot_geom[f] || con->geom[1] == p->foot_geom[f]) foot = f;
    }
    if (foot < 0) {
      other++;
      continue;
    }
    mjtNum force[6], v[3], arm[3];
    mj_contactForce(m, d, c, force);
    int body = m->geom_bodyid[p->foot_geom[foot]];
    const mjtNum* spin = d->cvel + 6 * body;
    mju_sub3(arm, con->pos, d->subtree_com + 3 * m->body_rootid[body]);
    mju_cross(v, spin, arm);
    mju_addTo3(v, spin + 3);
    mju_addToScl3(v, con->frame, -mju_dot3(v, con->frame));
    load[foot] += force[0];
    slide[foot] += force[0] * mju_norm3(v);
  }
  for (int f = 0; f < p->nfoot; f++) {
    size_t at = (size_t)sim * p->nfoot + f;
    p->foot_force[at] += load[f] / p->nsub;
    if (load[f] > 0) p->foot_slide[at] += slide[f] / load[f] / p->nsub;
  }
  p->other_contact[sim] = other;
}

// Centre of the sole: the middle of the lower face of the foot's box.
static void mit_soles(const mjModel* m, mjData* d, int sim, const mit_period* p) {
  for (int f = 0; f < p->nfoot; f++) {
    int geom = p->foot_geom[f], body = m->geom_bodyid[geom];
    double* pos = p->foot_pos + 3 * ((size_t)sim * p->nfoot + f);
    double* vel = p->foot_vel + 3 * ((size_t)sim * p->nfoot + f);
    const mjtNum* mat = d->geom_xmat + 9 * geom;
    mjtNum arm[3];
    for (int k = 0; k < 3; k++) {
      pos[k] = d->geom_xpos[3 * geom + k] - m->geom_size[3 * geom + 2] * mat[3 * k + 2];
    }
    mju_sub3(arm, pos, d->subtree_com + 3 * m->body_rootid[body]);
    mju_cross(vel, d->cvel + 6 * body, arm);
    mju_addTo3(vel, d->cvel + 6 * body + 3);
  }
}

static void mit_after(const mjModel* m, mjData* d, int sim, const mit_period* p) {
  mj_kinematics(m, d);
  mj_comPos(m, d);
  mj_comVel(m, d);
  mit_copy_poses(d, sim, p);
  mit_soles(m, d, sim, p);
}

// Torque that a servo can give at a joint speed, as a share of its stall torque:
// all of it up to the knee speed, none from the no-load speed on.
static double mit_speed_share(double speed, double knee, double no_load) {
  if (speed <= knee) return 1;
  if (speed >= no_load) return 0;
  return (no_load - speed) / (no_load - knee);
}

// Writes the targets. The torque-speed law is laid on the target, because the
// actuator's torque is gain * (target - position): a target that is closer asks
// for less torque. Only motion in the direction of the torque is limited.
static void mit_targets(const mjModel* m, mjData* d, const double* target, const double* speed) {
  for (int i = 0; i < m->nu; i++) {
    double goal = target[i];
    if (speed[1] > 0 && m->actuator_trntype[i] == mjTRN_JOINT) {
      int j = m->actuator_trnid[2 * i];
      double q = d->qpos[m->jnt_qposadr[j]], v = d->qvel[m->jnt_dofadr[j]];
      double kp = m->actuator_gainprm[mjNGAIN * i], stall = m->actuator_forcerange[2 * i + 1];
      double e = goal - q;
      if (e * v > 0 && kp > 0) {
        double reach = stall * mit_speed_share(mju_abs(v), speed[0], speed[1]) / kp;
        goal = q + mju_clip(e, -reach, reach);
      }
    }
    d->ctrl[i] = goal;
  }
}

static void mit_period_one(const mjModel* m, mjData* d, int sim, void* arg) {
  const mit_period* p = arg;
  size_t u = (size_t)sim * p->nu, f0 = (size_t)sim * p->nfoot;
  memset(p->foot_force + f0, 0, sizeof(double) * p->nfoot);
  memset(p->foot_slide + f0, 0, sizeof(double) * p->nfoot);
  memset(p->torque + u, 0, sizeof(double) * p->nu);
  memset(p->torque_sq + u, 0, sizeof(double) * p->nu);
  memset(p->torque_sat + u, 0, sizeof(double) * p->nu);
  for (int k = 0; k < p->nsub; k++) {
    mit_targets(m, d, (k < p->switch_at[sim] ? p->ctrl_old : p->ctrl_new) + u, p->speed + 2 * sim);
    mj_step(m, d);
    for (int i = 0; i < p->nu; i++) {
      mjtNum f = d->actuator_force[i];
      const mjtNum* range = m->actuator_forcerange + 2 * i;
      p->torque[u + i] += f / p->nsub;
      p->torque_sq[u + i] += f * f / p->nsub;
      if (m->actuator_forcelimited[i] && (f <= range[0] || f >= range[1])) {
        p->torque_sat[u + i] += 1.0 / p->nsub;
      }
    }
    mit_feet(m, d, sim, p);
  }
  mit_after(m, d, sim, p);
}

static void mit_poses_one(const mjModel* m, mjData* d, int sim, void* arg) {
  mit_after(m, d, sim, arg);
}

int mit_run_period(mjBatch* b, const int* ids, int nid, const mit_period* p) {
  return mjb_apply(b, ids, nid, mit_period_one, (void*)p, 1);
}
int mit_refresh_poses(mjBatch* b, const int* ids, int nid, const mit_period* p) {
  return mjb_apply(b, ids, nid, mit_poses_one, (void*)p, 0);
}
