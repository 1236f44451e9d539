// C side of package render: one MuJoCo model, one OSMesa context, one offscreen
// framebuffer. Every function must be called on the thread that opened the
// renderer, because an OpenGL context belongs to one thread.
#ifndef MITORI_SIM_RENDER_SHIM_H_
#define MITORI_SIM_RENDER_SHIM_H_

#define MITORI_RENDER_ERR 1024

typedef struct mitori_render mitori_render;

typedef struct {
  double lookat[3];
  double distance_m;
  double azimuth_deg;
  double elevation_deg;
  double fovy_deg;
} mitori_render_camera;

// a soft round shadow on the floor z = 0; none where the radius is 0.
typedef struct {
  double x, y, radius_m;
} mitori_render_shade;

// names and data are n assets (meshes, textures) the MJCF may refer to.
mitori_render* mitori_render_open(const char* xml, int xml_len, int n, char** names, char** data,
                                  int* sizes, int width, int height, int samples, int shadows,
                                  int reflections, char* err);
void mitori_render_close(mitori_render* r);

int mitori_render_nq(const mitori_render* r);
int mitori_render_nmocap(const mitori_render* r);
int mitori_render_nlight(const mitori_render* r);

// draws into rgb (width*height*3 bytes, top row first); qpos may be NULL (keep), mocap may be
// NULL or nmocap*7 numbers (x y z, w x y z). Returns 0, or -1 with the reason in err.
int mitori_render_draw(mitori_render* r, const double* qpos, const double* mocap,
                       const mitori_render_camera* cam, const mitori_render_shade* shade,
                       const unsigned char* groups, unsigned char* rgb, char* err);

// the box around everything that is not fixed to the world, for a state; 0, or -1 with the reason
// in err. Without qpos the last state counts.
int mitori_render_bounds(mitori_render* r, const double* qpos, double lo[3], double hi[3], char* err);

// world position of a named body after the last draw; -1 if there is no such body.
int mitori_render_body(const mitori_render* r, const char* name);
void mitori_render_body_pos(const mitori_render* r, int id, double pos[3]);

#endif
