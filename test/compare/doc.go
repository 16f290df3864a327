// Package compare holds longear against other programs that do the same work, on the same input in the same run. It
// is a module of its own, so that what it compares with is no dependency of longear.
package compare
