package workflowserver

import (
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"go.temporal.io/server/common/config"
	sqliteplugin "go.temporal.io/server/common/persistence/sql/sqlplugin/sqlite"
	sqliteschema "go.temporal.io/server/schema/sqlite"
	_ "modernc.org/sqlite" // The driver that reads the schema of a file; Temporal registers one of its own.
)

// prepare makes the database when it is missing, refuses one that another version of the server made, and describes it.
func prepare(file string) (*config.SQL, error) {
	// The empty database is built beside the file and renamed, so that a crash never leaves half a schema in its place.
	empty := file + ".new"
	for _, suffix := range []string{"", "-journal", "-wal", "-shm"} {
		if err := os.Remove(empty + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("removing an unfinished database: %w", err)
		}
	}
	if err := sqliteschema.SetupSchema(&config.SQL{
		PluginName: sqliteplugin.PluginName, DatabaseName: empty,
		ConnectAttributes: map[string]string{"mode": "rwc", "journal_mode": "memory", "synchronous": "0"},
	}); err != nil {
		return nil, fmt.Errorf("making the Temporal database: %w", err)
	}
	if err := adopt(empty, file); err != nil {
		return nil, err
	}
	store := &config.SQL{
		PluginName: sqliteplugin.PluginName, DatabaseName: file,
		ConnectAttributes: map[string]string{"mode": "rwc", "journal_mode": "wal", "synchronous": "2"},
	}
	namespace, err := sqliteschema.NewNamespaceConfig(clusterName, Namespace, false, nil)
	if err != nil {
		return nil, fmt.Errorf("describing namespace %s: %w", Namespace, err)
	}
	if err := sqliteschema.CreateNamespaces(store, namespace); err != nil {
		return nil, fmt.Errorf("making namespace %s: %w", Namespace, err)
	}
	return store, nil
}

// adopt moves the empty database to its place, or, when there is one already, compares the two schemas: the server cannot
// upgrade a SQLite schema, and running on an old one fails later and obscurely.
func adopt(empty, file string) error {
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		if err := syncFile(empty); err != nil {
			return err
		}
		if err := os.Rename(empty, file); err != nil {
			return fmt.Errorf("moving the Temporal database to its place: %w", err)
		}
		return nil
	}
	want, err := schemaOf(empty)
	if err != nil {
		return err
	}
	have, err := schemaOf(file)
	if err != nil {
		return err
	}
	if !slices.Equal(want, have) {
		return fmt.Errorf("opening %s: it was made by another version of Temporal, which cannot be upgraded in place; "+
			"delete %s* to start with an empty one", file, file)
	}
	if err := os.Remove(empty); err != nil {
		return fmt.Errorf("removing the empty database: %w", err)
	}
	return nil
}

func syncFile(path string) error {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("opening the new database: %w", err)
	}
	if err := errors.Join(file.Sync(), file.Close()); err != nil {
		return fmt.Errorf("syncing the new database: %w", err)
	}
	return nil
}

func schemaOf(file string) (statements []string, err error) {
	db, err := sql.Open("sqlite", file)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", file, err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	rows, err := db.Query("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY type, name")
	if err != nil {
		return nil, fmt.Errorf("reading the schema of %s: %w", file, err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var statement string
		if err := rows.Scan(&statement); err != nil {
			return nil, fmt.Errorf("reading the schema of %s: %w", file, err)
		}
		statements = append(statements, statement)
	}
	return statements, rows.Err()
}
