package process

import "testing"

func TestNoAddressIsGivenTwice(t *testing.T) {
	seen := make(map[string]bool)
	for range 2 * blockSize {
		addr, err := FreeAddr()
		if err != nil {
			t.Fatal(err)
		}
		if seen[addr] {
			t.Fatalf("%s was given twice", addr)
		}
		seen[addr] = true
	}
	if l, err := claim(ports.end - blockSize); err == nil {
		l.Close()
		t.Error("another process may take ports that were given to this one")
	}
}
