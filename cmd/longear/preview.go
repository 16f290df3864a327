package main

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	_ "image/png" // image.Decode reads it; our own file, not a stranger's

	"longear/protocol"
)

const (
	// maxPixels is the largest picture of which a preview is made: decoding one of 64 million takes some 200 MB.
	maxPixels = 64_000_000
	// previewSide is the longer side of a preview.
	previewSide = 64
)

// preview makes a tiny JPEG of a photo, turned upright, and tells the size of the photo as it is shown. A photo that cannot be decoded here
// (WebP, or one that is too large or broken) has none.
func preview(photo []byte, turned int) (tiny []byte, width, height int) {
	head, _, err := image.DecodeConfig(bytes.NewReader(photo))
	if err != nil || head.Width < 1 || head.Height < 1 {
		return nil, 0, 0
	}
	width, height = head.Width, head.Height
	if turned > 4 {
		width, height = height, width
	}
	if width > protocol.MaxSide || height > protocol.MaxSide {
		return nil, 0, 0
	}
	if head.Width*head.Height > maxPixels {
		return nil, width, height
	}
	img, _, err := image.Decode(bytes.NewReader(photo))
	if err != nil {
		return nil, width, height
	}
	small := shrink(img, turned, width, height)
	for quality := 70; quality >= 10; quality -= 20 {
		var b bytes.Buffer
		if err := jpeg.Encode(&b, small, &jpeg.Options{Quality: quality}); err != nil {
			return nil, width, height
		}
		if b.Len() <= protocol.MaxPreview {
			return b.Bytes(), width, height
		}
	}
	return nil, width, height
}

// samples is how many pixels each way are averaged for one of the preview.
const samples = 4

// shrink draws a picture as it is shown, small. What is transparent is drawn on white.
func shrink(img image.Image, turned, width, height int) *image.RGBA {
	longer := max(width, height)
	side := min(previewSide, longer)
	w, h := max(1, width*side/longer), max(1, height*side/longer)
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			var sum [3]uint32
			for i := range samples * samples {
				// A point of the picture as it is shown, and where that is in the picture as it is kept.
				sx := (x*samples + i%samples) * width / (w * samples)
				sy := (y*samples + i/samples) * height / (h * samples)
				kept := turn(turned, image.Pt(sx, sy), width, height).Add(img.Bounds().Min)
				r, g, b, a := img.At(kept.X, kept.Y).RGBA()
				for c, v := range [3]uint32{r, g, b} {
					sum[c] += (v + 0xffff - a) >> 8
				}
			}
			n := uint32(samples * samples)
			out.SetRGBA(x, y, color.RGBA{uint8(sum[0] / n), uint8(sum[1] / n), uint8(sum[2] / n), 0xff})
		}
	}
	return out
}

// turn is where a point of a picture, as it is shown with a width and a height, lies in the picture as it is kept, if its orientation by
// Exif is turned.
func turn(turned int, p image.Point, width, height int) image.Point {
	right, down := width-1-p.X, height-1-p.Y
	switch turned {
	case 2:
		return image.Pt(right, p.Y)
	case 3:
		return image.Pt(right, down)
	case 4:
		return image.Pt(p.X, down)
	case 5:
		return image.Pt(p.Y, p.X)
	case 6:
		return image.Pt(p.Y, right)
	case 7:
		return image.Pt(down, right)
	case 8:
		return image.Pt(down, p.X)
	}
	return p
}
