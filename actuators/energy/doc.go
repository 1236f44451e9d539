// Package energy knows what a motion costs: how warm windings become that no sensor sees
// ([Heat]), how much is left in the battery ([Gauge]), how long both last at the present
// motion ([Forecast]), and how much slower and weaker to go meanwhile ([Derate]).
//
// All of it is an estimate with stated bounds, and is used to the safe side. A winding is
// one thermal mass above its case, whose temperature the servo measures; the constants are
// pessimistic guesses until somebody measures his servo. A battery's charge is kept as an
// interval: its ends move with the current that is counted, as fast as the worst tolerance
// allows, and are cut by what the voltage at rest allows, computed from the voltage under
// load, the current and the pack's resistance. While the tolerances hold ([Pack]) the true
// charge lies inside.
//
// What is not here: deciding what follows (packages guard and mode), and measuring
// (drivers). A value belongs to one goroutine; nothing but the constructors allocates.
package energy
