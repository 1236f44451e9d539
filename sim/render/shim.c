//go:build mujoco && cgo

#include "shim.h"

#define _GNU_SOURCE
#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <GL/osmesa.h>
#include <mujoco/mujoco.h>

struct mitori_render {
  mjModel* m;
  mjData* d;
  mjvScene scn;
  mjvOption opt;
  mjrContext con;
  OSMesaContext gl;
  unsigned char* glbuf;  // OSMesa insists on a window buffer even when only an FBO is drawn
  unsigned char* flip;   // MuJoCo hands rows over bottom first
  int width, height;
  int has_scene, has_context;
  pid_t thread;
};

// MuJoCo expects an error handler not to return. The jump target is set only while one of the
// functions below runs on this thread, so both ends of the jump lie inside one C call and no Go
// frame is skipped. Messages of other threads go on to the handler that was there before.
static __thread sigjmp_buf* jump_target;
static __thread char jump_text[MITORI_RENDER_ERR];
static mjfLogHandler earlier_handler;
static int handler_installed;

static void on_log(const mjLogMessage* msg) {
  if (jump_target) {
    if (msg->level < mjLOG_ERROR) return;  // warnings of a drawing are not worth a word
    snprintf(jump_text, sizeof jump_text, "%s", msg->subject);
    siglongjmp(*jump_target, 1);
  }
  if (earlier_handler) earlier_handler(msg);
}

// Callers hold the Go mutex of render.New. Without a handler MuJoCo writes MUJOCO_LOG.TXT into
// the working directory and ends the process on an error.
static void install_handler(void) {
  if (handler_installed) return;
  earlier_handler = mju_setLogHandler(on_log);
  handler_installed = 1;
}

#define GUARDED(err, body, onerror)                      \
  do {                                                   \
    sigjmp_buf target_;                                  \
    if (sigsetjmp(target_, 0)) {                         \
      jump_target = NULL;                                \
      snprintf((err), MITORI_RENDER_ERR, "%s", jump_text); \
      onerror;                                           \
    }                                                    \
    jump_target = &target_;                              \
    body;                                                \
    jump_target = NULL;                                  \
  } while (0)

static mjModel* load(const char* xml, int xml_len, int n, char** names, char** data, int* sizes,
                     char* err) {
  mjModel* m = NULL;
  mjVFS* vfs = malloc(sizeof(mjVFS));
  if (!vfs) {
    snprintf(err, MITORI_RENDER_ERR, "out of memory");
    return NULL;
  }
  mj_defaultVFS(vfs);
  mj_addBufferVFS(vfs, "scene.xml", xml, xml_len);
  for (int i = 0; i < n; i++) mj_addBufferVFS(vfs, names[i], data[i], sizes[i]);
  m = mj_loadXML("scene.xml", vfs, err, MITORI_RENDER_ERR);
  mj_deleteVFS(vfs);
  free(vfs);
  return m;
}

static int open_gl(mitori_render* r, char* err) {
  // 24 bit depth, 8 bit stencil (reflections), no accumulation buffer.
  r->gl = OSMesaCreateContextExt(OSMESA_RGBA, 24, 8, 0, NULL);
  if (!r->gl) {
    snprintf(err, MITORI_RENDER_ERR, "OSMesa gave no context");
    return -1;
  }
  r->glbuf = malloc((size_t)r->width * r->height * 4);
  if (!r->glbuf ||
      !OSMesaMakeCurrent(r->gl, r->glbuf, GL_UNSIGNED_BYTE, r->width, r->height)) {
    snprintf(err, MITORI_RENDER_ERR, "OSMesa refused a %d x %d buffer", r->width, r->height);
    return -1;
  }
  return 0;
}

static int open_scene(mitori_render* r, int shadows, int reflections, char* err) {
  GUARDED(err, {
    mjv_defaultScene(&r->scn);
    mjv_makeScene(r->m, &r->scn, r->m->ngeom + r->m->nsite + 200);
    r->has_scene = 1;
    mjv_defaultOption(&r->opt);
    mjr_defaultContext(&r->con);
    mjr_makeContext(r->m, &r->con, mjFONTSCALE_100);
    r->has_context = 1;
    mjr_setBuffer(mjFB_OFFSCREEN, &r->con);
  }, return -1);
  if (r->con.currentBuffer != mjFB_OFFSCREEN) {
    snprintf(err, MITORI_RENDER_ERR, "OpenGL offers no offscreen framebuffer");
    return -1;
  }
  r->scn.flags[mjRND_SHADOW] = shadows != 0;
  r->scn.flags[mjRND_REFLECTION] = reflections != 0;
  return 0;
}

mitori_render* mitori_render_open(const char* xml, int xml_len, int n, char** names, char** data,
                                  int* sizes, int width, int height, int samples, int shadows,
                                  int reflections, char* err) {
  if (mj_version() != mjVERSION_HEADER) {
    snprintf(err, MITORI_RENDER_ERR, "libmujoco is version %d, headers are %d", mj_version(),
             mjVERSION_HEADER);
    return NULL;
  }
  install_handler();
  mitori_render* r = calloc(1, sizeof *r);
  if (!r) {
    snprintf(err, MITORI_RENDER_ERR, "out of memory");
    return NULL;
  }
  r->thread = gettid();
  r->width = width;
  r->height = height;
  r->m = load(xml, xml_len, n, names, data, sizes, err);
  if (!r->m) {
    free(r);
    return NULL;
  }
  r->m->vis.global.offwidth = width;
  r->m->vis.global.offheight = height;
  // Software OpenGL spends its time on vertices; at these pictures nobody sees more facets.
  if (r->m->vis.quality.numslices > 16) r->m->vis.quality.numslices = 16;
  if (r->m->vis.quality.numstacks > 10) r->m->vis.quality.numstacks = 10;
  if (r->m->vis.quality.shadowsize > 2048) r->m->vis.quality.shadowsize = 2048;
  r->m->vis.quality.offsamples = samples > 1 ? samples : 0;
  r->flip = malloc((size_t)width * height * 3);
  GUARDED(err, { r->d = mj_makeData(r->m); }, r->d = NULL);
  if (!r->flip || !r->d || open_gl(r, err) || open_scene(r, shadows, reflections, err)) {
    mitori_render_close(r);
    return NULL;
  }
  return r;
}

void mitori_render_close(mitori_render* r) {
  if (!r) return;
  char ignored[MITORI_RENDER_ERR];
  if (r->has_context) GUARDED(ignored, { mjr_freeContext(&r->con); }, break);
  if (r->has_scene) mjv_freeScene(&r->scn);
  if (r->gl) OSMesaDestroyContext(r->gl);
  if (r->d) mj_deleteData(r->d);
  if (r->m) mj_deleteModel(r->m);
  free(r->glbuf);
  free(r->flip);
  free(r);
}

int mitori_render_nq(const mitori_render* r) { return (int)r->m->nq; }
int mitori_render_nmocap(const mitori_render* r) { return (int)r->m->nmocap; }
int mitori_render_nlight(const mitori_render* r) { return (int)r->m->nlight; }

// nested almost clear discs: dark in the middle, fading outwards.
static void add_shade(mjvScene* scn, const mitori_render_shade* s) {
  enum { DISCS = 9 };
  for (int i = 0; s->radius_m > 0 && i < DISCS && scn->ngeom < scn->maxgeom; i++) {
    double r = s->radius_m * (DISCS - i) / DISCS;
    double turn = 2.4 * i;  // so that the corners of the facets do not line up
    mjtNum mat[9] = {cos(turn), -sin(turn), 0, sin(turn), cos(turn), 0, 0, 0, 1};
    mjtNum size[3] = {r, r, 0.0004};
    mjtNum pos[3] = {s->x, s->y, 0.0006 + 0.0003 * i};
    float rgba[4] = {0.03f, 0.03f, 0.05f, 0.065f};
    mjv_initGeom(&scn->geoms[scn->ngeom++], mjGEOM_ELLIPSOID, size, pos, mat, rgba);
  }
}

int mitori_render_draw(mitori_render* r, const double* qpos, const double* mocap,
                       const mitori_render_camera* cam, const mitori_render_shade* shade,
                       const unsigned char* groups, unsigned char* rgb, char* err) {
  if (r->thread != gettid()) {
    snprintf(err, MITORI_RENDER_ERR, "called from another thread than the one that opened it");
    return -1;
  }
  if (qpos) memcpy(r->d->qpos, qpos, sizeof(mjtNum) * (size_t)r->m->nq);
  for (int i = 0; mocap && i < (int)r->m->nmocap; i++) {
    memcpy(r->d->mocap_pos + 3 * i, mocap + 7 * i, 3 * sizeof(mjtNum));
    memcpy(r->d->mocap_quat + 4 * i, mocap + 7 * i + 3, 4 * sizeof(mjtNum));
  }
  for (int i = 0; i < mjNGROUP; i++) r->opt.geomgroup[i] = r->opt.sitegroup[i] = groups[i];
  r->m->vis.global.fovy = (float)cam->fovy_deg;

  mjvCamera c;
  mjv_defaultCamera(&c);
  c.type = mjCAMERA_FREE;
  memcpy(c.lookat, cam->lookat, sizeof c.lookat);
  c.distance = cam->distance_m;
  c.azimuth = cam->azimuth_deg;
  c.elevation = cam->elevation_deg;

  mjrRect view = {0, 0, r->width, r->height};
  GUARDED(err, {
    mj_fwdKinematics(r->m, r->d);
    mjv_updateScene(r->m, r->d, &r->opt, NULL, &c, mjCAT_ALL, &r->scn);
    add_shade(&r->scn, shade);
    mjr_render(view, &r->scn, &r->con);
    mjr_readPixels(r->flip, NULL, view, &r->con);
  }, return -1);
  int bad = mjr_getError();
  if (bad) {
    snprintf(err, MITORI_RENDER_ERR, "OpenGL error 0x%x", bad);
    return -1;
  }
  size_t row = (size_t)r->width * 3;
  for (int y = 0; y < r->height; y++)
    memcpy(rgb + row * y, r->flip + row * (r->height - 1 - y), row);
  return 0;
}

int mitori_render_bounds(mitori_render* r, const double* qpos, double lo[3], double hi[3], char* err) {
  if (qpos) memcpy(r->d->qpos, qpos, sizeof(mjtNum) * (size_t)r->m->nq);
  GUARDED(err, { mj_fwdKinematics(r->m, r->d); }, return -1);
  for (int k = 0; k < 3; k++) lo[k] = 1e9, hi[k] = -1e9;
  for (int g = 0; g < (int)r->m->ngeom; g++) {
    if (r->m->body_weldid[r->m->geom_bodyid[g]] == 0) continue;
    for (int k = 0; k < 3; k++) {
      double at = r->d->geom_xpos[3 * g + k], by = r->m->geom_rbound[g];
      if (at - by < lo[k]) lo[k] = at - by;
      if (at + by > hi[k]) hi[k] = at + by;
    }
  }
  return 0;
}

int mitori_render_body(const mitori_render* r, const char* name) {
  return mj_name2id(r->m, mjOBJ_BODY, name);
}

void mitori_render_body_pos(const mitori_render* r, int id, double pos[3]) {
  memcpy(pos, r->d->xpos + 3 * id, 3 * sizeof(mjtNum));
}
