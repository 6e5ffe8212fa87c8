package clients

import (
	"cmp"
	"hash/fnv"
	"math/rand/v2"
	"slices"
)

// A Pick says in which order a call tries the servers.
type Pick uint8

const (
	// InOrder tries them as [Config.Servers] has them: the first does all the
	// work as long as it is there.
	InOrder Pick = iota

	// ByUnique spreads calls over the servers by a hash of their unique id, the
	// same in every process whatever the order of its list: calls with one id
	// meet on one server and are joined there. A call without an id goes to any.
	// When a server is away only its calls move, each to its own second choice.
	ByUnique
)

// order is the order for one call. The payload is the id of a call whose unique
// id is "-".
func (c *Client) order(k *call) []*server {
	id := k.opts.unique
	if id == "-" {
		id = string(k.payload)
	}
	return c.inOrder(id)
}

func (c *Client) inOrder(id string) []*server {
	if len(c.servers) == 1 || c.cfg.Pick == InOrder {
		return c.servers
	}
	seed := rand.Uint64()
	if id != "" {
		seed = hash(id)
	}
	order := slices.Clone(c.servers)
	slices.SortFunc(order, func(a, b *server) int { return cmp.Compare(mix(seed^b.key), mix(seed^a.key)) })
	return order
}

func hash(s string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(s))
	return h.Sum64()
}

// mix makes every bit of x count in every bit of the result (the finalizer of
// MurmurHash3), so that each id ranks the servers as if by lot.
func mix(x uint64) uint64 {
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	x *= 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}
