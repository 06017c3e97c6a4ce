package game

import (
	"math"
	"math/rand/v2"
)

// The world: salmon swim and eat eggs. It is the same arithmetic as in
// page/world.js, so that a page can go ahead of the server and be right.
const (
	Rate   = 60 // frames a second
	Width  = 1600.0
	Height = 900.0
	Speed  = 320.0 // pixels a second
	Radius = 22.0  // within which a salmon eats an egg
	Eggs   = 40

	roundFrames = 120 * Rate
)

// What a player holds down, added up.
const (
	Up uint8 = 1 << iota
	Down
	Left
	Right
)

// A Point is a place in the world.
type Point struct{ X, Y float64 }

// Move returns where a salmon is after one frame.
func Move(p Point, keys uint8) Point {
	dx, dy := 0.0, 0.0
	if keys&Left != 0 {
		dx--
	}
	if keys&Right != 0 {
		dx++
	}
	if keys&Up != 0 {
		dy--
	}
	if keys&Down != 0 {
		dy++
	}
	step := Speed / Rate
	if dx != 0 && dy != 0 {
		step /= math.Sqrt2
	}
	return Point{clamp(p.X+dx*step, Width), clamp(p.Y+dy*step, Height)}
}

func clamp(v, limit float64) float64 { return max(Radius, min(v, limit-Radius)) }

func somewhere() Point {
	return Point{Radius + rand.Float64()*(Width-2*Radius), Radius + rand.Float64()*(Height-2*Radius)}
}

func near(a, b Point) bool {
	dx, dy := a.X-b.X, a.Y-b.Y
	return dx*dx+dy*dy < Radius*Radius
}

// steer is what a bot holds down: it goes for the nearest egg.
func steer(from Point, eggs []Point) (keys uint8) {
	best, far := from, math.Inf(1)
	for _, e := range eggs {
		if d := math.Hypot(e.X-from.X, e.Y-from.Y); d < far {
			best, far = e, d
		}
	}
	const close = Speed / Rate
	if best.X > from.X+close {
		keys |= Right
	} else if best.X < from.X-close {
		keys |= Left
	}
	if best.Y > from.Y+close {
		keys |= Down
	} else if best.Y < from.Y-close {
		keys |= Up
	}
	return keys
}
