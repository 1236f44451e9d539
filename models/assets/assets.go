// Package assets finds the third-party files that "make deps" unpacks: shared
// libraries and pose networks. It never downloads anything.
package assets

import (
	"fmt"
	"os"
	"path/filepath"
)

// Folder is the name of the project's own folder of third-party files.
const Folder = ".deps"

// DepsDir returns the folder of third-party files: $MITORI_DEPS if set, else
// the nearest .deps beside or above the executable, else above the working
// directory. The error says what to do.
func DepsDir() (string, error) {
	if dir := os.Getenv("MITORI_DEPS"); dir != "" {
		if isDir(dir) {
			return dir, nil
		}
		return "", fmt.Errorf("assets: MITORI_DEPS=%s is not a folder; unset it or run \"make deps\"", dir)
	}
	var starts []string
	if exe, err := os.Executable(); err == nil {
		if exe, err = filepath.EvalSymlinks(exe); err == nil {
			starts = append(starts, filepath.Dir(exe))
		}
	}
	if wd, err := os.Getwd(); err == nil {
		starts = append(starts, wd)
	}
	for _, start := range starts {
		for dir := start; ; dir = filepath.Dir(dir) {
			if d := filepath.Join(dir, Folder); isDir(d) {
				return d, nil
			}
			if dir == filepath.Dir(dir) {
				break
			}
		}
	}
	return "", fmt.Errorf("assets: no %s folder beside or above %v; run \"make deps\" in the repository", Folder, starts)
}

// File returns the path of a third-party file, e.g. File("blazepose",
// "pose_detection.tflite"), or an error that names the missing file.
func File(elem ...string) (string, error) {
	dir, err := DepsDir()
	if err != nil {
		return "", err
	}
	p := filepath.Join(append([]string{dir}, elem...)...)
	if _, err := os.Stat(p); err != nil {
		return "", fmt.Errorf("assets: %s is missing; run \"make deps\"", p)
	}
	return p, nil
}

func isDir(p string) bool {
	st, err := os.Stat(p)
	return err == nil && st.IsDir()
}
