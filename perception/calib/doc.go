// Package calib knows where cameras stand and how their lenses bend: from files of
// other programs, from points found on photos of a board, and into the project's own
// file, which is the TOML of Pose2Sim and Anipose.
//
// Reading is by content, not by name: Qualisys (.qca.txt), TOML, OpenCV's FileStorage
// YAML (one camera a file, or EasyMocap's intri.yml with extri.yml). Calibrating is
// Zhang's method followed by Levenberg and Marquardt over all photos. What is not here:
// finding a board in a photo (package perception/board), and what cameras see.
//
// Nothing is kept between calls; everything is deterministic and safe for concurrent use.
package calib
