package memory_test

import (
	"testing"

	"gearbolt/persist"
	"gearbolt/persist/memory"
	"gearbolt/persist/persisttest"
)

func TestConformance(t *testing.T) {
	persisttest.Run(t, func(testing.TB, string) persist.Store { return memory.New() })
}
