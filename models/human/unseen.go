package human

// What a motion says of joints that were not seen. The numbers are one rule for those
// who make motions and those who read them, so that a limb that is lost does the same
// for both.
const (
	// Missing is the confidence below which a joint's position is invented.
	Missing = 0.1
	// BridgeS and BridgeRad bound what is bridged: a bone that is lost for at most
	// this many seconds, between two directions at most this many rad (69 degrees)
	// apart, is taken to have gone straight from the one to the other.
	BridgeS, BridgeRad = 0.5, 1.2
	// HoldS is how long, in seconds, a limb that is lost for longer is held as it was
	// last seen; within EaseS more it goes to its rest.
	HoldS, EaseS = 0.3, 0.6
)

// Stays is the share, 1 to 0, that a limb keeps of where it was last seen, sinceS
// seconds after that, in a gap of gapS seconds between two sightings. Backwards in
// time it is the same: the limb is back where it is seen again when it is.
func Stays(sinceS, gapS float64) float64 {
	ease := min(EaseS, gapS)
	hold := min(HoldS, gapS-ease)
	if ease <= 0 {
		return 1
	}
	f := max(0, min(1, (sinceS-hold)/ease))
	return 1 - f*f*(3-2*f)
}
