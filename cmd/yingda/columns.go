package main

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"golang.org/x/text/width"
)

// columns are a table for a terminal, whose Chinese letters are two cells wide: text/tabwriter takes all letters for one.
type columns struct {
	// gap is how many cells are between two columns, indent what each line begins with.
	gap    int
	indent string
	rows   [][]string
}

func (c *columns) add(cells ...string) { c.rows = append(c.rows, cells) }

func (c *columns) write(out io.Writer) error {
	var widths []int
	for _, row := range c.rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], cellsOf(cell))
		}
	}
	lines := bufio.NewWriter(out)
	for _, row := range c.rows {
		fmt.Fprint(lines, c.indent)
		for i, cell := range row {
			fmt.Fprint(lines, cell)
			if i < len(row)-1 {
				fmt.Fprint(lines, strings.Repeat(" ", widths[i]-cellsOf(cell)+c.gap))
			}
		}
		fmt.Fprintln(lines)
	}
	if err := lines.Flush(); err != nil {
		return fmt.Errorf("writing a table: %w", err)
	}
	return nil
}

// cellsOf is how wide a text is on a terminal.
func cellsOf(text string) int {
	cells := 0
	for _, letter := range text {
		switch width.LookupRune(letter).Kind() {
		case width.EastAsianWide, width.EastAsianFullwidth:
			cells += 2
		default:
			cells++
		}
	}
	return cells
}
