package main

import (
	"bytes"
	"fmt"
	"image/color"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	vgdraw "gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// draw draws the waits of a day by two schedules.
func draw(scheduled, wanted day) ([]byte, error) {
	plot.DefaultFont.Variant = "Sans"
	chart := plot.New()
	chart.BackgroundColor = color.White // readable in the dark mode of a browser, too
	chart.Title.Text = "How long nine of ten customers wait at most, by the time at which they come"
	chart.Title.Padding = vg.Points(6)
	chart.Y.Label.Text = "minutes"
	chart.X.Tick.Marker = hours{}
	chart.Y.Min = 0
	chart.Add(plotter.NewGrid())
	orange, blue := color.RGBA{R: 0xc2, G: 0x41, B: 0x0c, A: 0xff}, color.RGBA{R: 0x1d, G: 0x4e, B: 0xd8, A: 0xff}
	for _, line := range []struct {
		name   string
		points plotter.XYs
		colour color.Color
	}{
		{"as scheduled", points(scheduled), orange},
		{"as wanted", points(wanted), blue},
	} {
		drawn, err := plotter.NewLine(line.points)
		if err != nil {
			return nil, err
		}
		drawn.Color, drawn.Width, drawn.StepStyle = line.colour, vg.Points(2), plotter.PostStep
		chart.Add(drawn)
		chart.Legend.Add(line.name, drawn)
	}
	promised := plotter.NewFunction(func(float64) float64 { return promise.Minutes() })
	promised.Dashes = []vg.Length{vg.Points(4), vg.Points(4)}
	chart.Add(promised)
	chart.Legend.Add("the promise: 2 minutes", promised)
	chart.Legend.Top, chart.Legend.Left = true, true
	chart.Legend.XOffs, chart.Legend.YOffs, chart.Legend.Padding = vg.Points(12), -vg.Points(6), vg.Points(3)
	canvas := vgsvg.New(22*vg.Centimeter, 11*vg.Centimeter)
	chart.Draw(vgdraw.Crop(vgdraw.New(canvas), vg.Points(6), -vg.Points(18), vg.Points(4), -vg.Points(6)))
	var out bytes.Buffer
	if _, err := canvas.WriteTo(&out); err != nil {
		return nil, err
	}
	// Who has no Liberation Sans has something like it.
	return bytes.ReplaceAll(out.Bytes(), []byte("Liberation Sans"), []byte("Liberation Sans,Arial,sans-serif")), nil
}

// points are the waits of each slot, the last up to its end.
func points(played day) plotter.XYs {
	var all plotter.XYs
	for _, slot := range played.slots {
		all = append(all, plotter.XY{X: slot.at.Hours(), Y: slot.most.Minutes()})
	}
	last := all[len(all)-1]
	return append(all, plotter.XY{X: last.X + slot.Hours(), Y: last.Y})
}

// hours marks the axis of a day.
type hours struct{}

func (hours) Ticks(from, until float64) []plot.Tick {
	var ticks []plot.Tick
	for hour := from; hour <= until; hour++ {
		ticks = append(ticks, plot.Tick{Value: hour, Label: fmt.Sprintf("%02.0f:00", hour)})
	}
	return ticks
}
