package server

import (
	"time"

	"go.uber.org/zap"

	"gearbolt/persist"
	"gearbolt/router"
)

// backUp has the store make copies of itself, one after the other.
func (s *Server) backUp(all []router.Backup) {
	for _, b := range all {
		path, size, err := "", int64(0), persist.ErrNoBackup
		if store, ok := s.store.(persist.Backuper); ok {
			path, size, err = store.Backup(b.Name, s.quit)
		}
		if err != nil {
			s.log.Warn("there is no backup", zap.String("name", b.Name), zap.Error(err))
		} else {
			s.log.Info("backed up", zap.String("path", path), zap.Int64("bytes", size))
		}
		s.visit(func(m *router.Machine, now time.Time) {
			m.BackedUp(now, b, path, size, err)
			s.storeAnswered()
		})
	}
}
