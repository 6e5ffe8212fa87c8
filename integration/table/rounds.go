package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// restart kills a server and waits until it answers again. Jobs wait in it. It
// is known to have loaded them when it answers.
func restart(ctx context.Context, r *rig, s *server) (metrics, error) {
	s.Kill()
	began := time.Now()
	if err := s.launch(); err != nil {
		return nil, err
	}
	m := metrics{"restart s": time.Since(began).Seconds()}
	memory, err := s.memory()
	if err != nil {
		return nil, err
	}
	jobs := r.count(1_000_000)
	m["bytes/job"] = float64(memory) / float64(jobs)
	if n, err := r.waiting(ctx, s); err != nil || n != jobs {
		return nil, errors.Join(err, fmt.Errorf("of %d jobs wait %d after the restart", jobs, n))
	}
	return m, nil
}

// waiting is how many jobs the server says that it has.
func (r *rig) waiting(ctx context.Context, s *server) (n int, err error) {
	out, err := exec.CommandContext(ctx, r.gearbolt, "status", "--server", s.addr, "-o", "json").Output()
	if err != nil {
		return 0, err
	}
	var functions []struct{ Jobs int }
	err = json.Unmarshal(out, &functions)
	for _, f := range functions {
		n += f.Jobs
	}
	return n, err
}

// drains is how often reclaim fills and drains a queue.
const drains = 10

// reclaim fills and drains a queue a number of times, and sees what is left of
// it in memory and on disk.
func reclaim(ctx context.Context, r *rig, s *server) (metrics, error) {
	drain := shape("drain", "16", "256", "16", "--jobs", r.amount(1_000_000))
	if _, err := r.bench(ctx, s, shape("drain", "16", "256", "16", "--jobs", "1000")...); err != nil {
		return nil, err // what a first job takes is no leak
	}
	before, err := s.memory()
	if err != nil {
		return nil, err
	}
	m := make(metrics)
	var first int64
	for n := range drains {
		if _, err := r.bench(ctx, s, drain...); err != nil {
			return nil, err
		}
		size, err := dirSize(s.dir)
		if err != nil {
			return nil, err
		}
		if n == 0 {
			first = size
		}
		m["store tenth to first"] = float64(size) / float64(first)
	}
	after, err := s.settle(ctx, before+before/5)
	m["MiB after"], m["memory after to before"] = float64(after)/(1<<20), float64(after)/float64(before)
	return m, err
}

// settling is how long a server may take to give memory back.
const settling = time.Minute

// settle waits until the server has no more memory than that, or for a minute,
// and returns what it has.
func (s *server) settle(ctx context.Context, enough int64) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, settling)
	defer cancel()
	for {
		now, err := s.memory()
		if err != nil || now <= enough {
			return now, err
		}
		select {
		case <-ctx.Done():
			return now, nil
		case <-time.After(100 * time.Millisecond): // the kernel tells nobody: it is asked again
		}
	}
}

// large queues more than memory is allowed to hold, and drains it.
func large(ctx context.Context, r *rig, s *server) (metrics, error) {
	const size, budget = 1 << 10, 256 << 20 // the server's default
	jobs := r.count(10_000_000)
	m, err := r.bench(ctx, s, shape("drain", "16", "256", "16", "--jobs", fmt.Sprint(jobs), "--size", fmt.Sprint(size))...)
	if err != nil {
		return nil, err
	}
	beyond := m["bytes/job"]*float64(jobs) - float64(min(budget, jobs*size))
	m["MiB beyond budget"], m["bytes/job beyond budget"] = beyond/(1<<20), beyond/float64(jobs)
	return m, nil
}

// dirSize is what the files below a directory take on the disk, in bytes.
func dirSize(dir string) (total int64, err error) {
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := os.Stat(path)
		if err == nil {
			total += info.Size()
		}
		return err
	})
	return total, err
}
