package files

import (
	"bytes"
	"errors"
	"image"
	_ "image/gif"
	"image/jpeg"
	_ "image/png"
	"io"
	"strings"

	"golang.org/x/image/draw"
	_ "golang.org/x/image/webp"
)

const (
	thumbSize = 160
	// maxPixels limits what is decoded: a small file can claim to be a picture of a
	// terabyte.
	maxPixels = 24_000_000
)

var errNoImage = errors.New("no image")

// drawing bounds how much memory pictures take at once.
var drawing = make(chan struct{}, 2)

// thumbnail makes a small JPEG of a picture, beside it.
func (s *Store) thumbnail(r io.ReaderAt, i Info) error {
	if !strings.HasPrefix(i.Type, "image/") {
		return errNoImage
	}
	drawing <- struct{}{}
	defer func() { <-drawing }()
	b, err := makeThumbnail(io.NewSectionReader(r, 0, i.Size))
	if err != nil {
		return err
	}
	return s.root.WriteFile(i.id+".thumb", b, 0o600)
}

func makeThumbnail(r io.ReadSeeker) ([]byte, error) {
	config, _, err := image.DecodeConfig(r)
	if err != nil {
		return nil, err
	}
	if config.Width <= 0 || config.Height <= 0 || config.Width > maxPixels/config.Height {
		return nil, errNoImage
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	full, _, err := image.Decode(r)
	if err != nil {
		return nil, err
	}
	b := full.Bounds()
	scale := min(1, float64(thumbSize)/float64(max(b.Dx(), b.Dy())))
	small := image.NewRGBA(image.Rect(0, 0, max(1, int(float64(b.Dx())*scale)), max(1, int(float64(b.Dy())*scale))))
	draw.Draw(small, small.Bounds(), image.White, image.Point{}, draw.Src)
	draw.ApproxBiLinear.Scale(small, small.Bounds(), full, b, draw.Over, nil)
	var out bytes.Buffer
	err = jpeg.Encode(&out, small, &jpeg.Options{Quality: 80})
	return out.Bytes(), err
}

// Thumbnail returns the small JPEG of a picture.
func (s *Store) Thumbnail(name string) ([]byte, error) {
	i, err := s.Stat(name)
	if err != nil {
		return nil, err
	}
	if !i.Thumbnail {
		return nil, ErrNotFound
	}
	return s.root.ReadFile(i.id + ".thumb")
}
