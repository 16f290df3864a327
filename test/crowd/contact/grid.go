package contact

import "slices"

// maxCells bounds a grid along one side: a huge and nearly empty area gets cells larger than the range.
const maxCells = 128

// grid finds who is near whom: cells at least as wide as the range, so that a neighbour is in one of nine.
type grid struct {
	area       rect
	cell       float64
	cols, rows int
	head       []int32 // the first node in each cell, -1 for none
	next       []int32 // the next node in the same cell, by node
}

func newGrid(area rect, reach float64, nodes int) grid {
	g := grid{area: area, cell: max(reach, area.width/maxCells, area.height/maxCells), next: make([]int32, nodes)}
	g.cols, g.rows = int(area.width/g.cell)+1, int(area.height/g.cell)+1
	g.head = make([]int32, g.cols*g.rows)
	return g
}

// at is the cell of a place. A place outside, by a rounding, counts to the outermost cell: it is less than a cell away.
func (g *grid) at(p Point) (col, row int) {
	return min(max(int((p.X-g.area.x)/g.cell), 0), g.cols-1), min(max(int((p.Y-g.area.y)/g.cell), 0), g.rows-1)
}

// pairs appends all pairs at most reach apart, sorted.
func (g *grid) pairs(places []Point, reach float64, into []pair) []pair {
	for i := range g.head {
		g.head[i] = -1
	}
	for i, p := range places {
		col, row := g.at(p)
		g.next[i] = g.head[row*g.cols+col]
		g.head[row*g.cols+col] = int32(i)
	}
	for i, p := range places {
		col, row := g.at(p)
		first := len(into)
		for r := max(row-1, 0); r <= min(row+1, g.rows-1); r++ {
			for c := max(col-1, 0); c <= min(col+1, g.cols-1); c++ {
				// A cell's nodes come in falling order: those below i, which found the pair already, end it.
				for j := g.head[r*g.cols+c]; j > int32(i); j = g.next[j] {
					dx, dy := places[j].X-p.X, places[j].Y-p.Y
					if dx*dx+dy*dy <= reach*reach {
						into = append(into, pairOf(i, int(j)))
					}
				}
			}
		}
		slices.Sort(into[first:])
	}
	return into
}
