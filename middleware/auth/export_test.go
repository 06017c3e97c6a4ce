package auth

import "time"

// SetWall has g read another wall clock.
func (g *Guard[U]) SetWall(f func() time.Time) { g.verifier.wall = f }
