"""Imports a BVH file into Blender with its own defaults; prints bones' heads in the world, frame by frame, as JSON."""
import json
import sys

import bpy  # first: it brings the path of what follows
import addon_utils

bpy.ops.wm.read_factory_settings(use_empty=True)
addon_utils.enable("io_anim_bvh")
bpy.ops.import_anim.bvh(filepath=sys.argv[1])
rig = next(o for o in bpy.data.objects if o.type == "ARMATURE")
out = []
for frame in map(int, sys.argv[2:]):
    bpy.context.scene.frame_set(frame + 1)
    out.append({b.name: list(rig.matrix_world @ b.head) for b in rig.pose.bones})
print("\n" + json.dumps(out))
