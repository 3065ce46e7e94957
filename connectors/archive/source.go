// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"archive/tar"
	"archive/zip"
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"
)

// Bounds of what an archive may hold. The total is a setting.
const (
	maxEntries    = 1_000_000
	maxEntryBytes = 64 << 20
)

// source is an archive whose entries can be read in any order.
type source interface {
	// list names what Kith reads, with sizes.
	list() listing
	// read gives an entry's whole content.
	read(e entry) ([]byte, error)
	// fresh says whether the archive is, as far as a quick look tells, still as it was when it was opened.
	fresh() bool
	// close lets go of files.
	close()
}

// listing is what Kith reads of an archive, in any order.
type listing struct {
	topics []entry
	// categories are the files that should say what the forum's categories are.
	categories []entry
}

// add takes an entry for what its name says, and leaves out all others.
func (l *listing) add(e entry) {
	if isCategories(e.name) {
		l.categories = append(l.categories, e)
		return
	}
	if id, ok := topicID(e.name); ok {
		e.id = id
		l.topics = append(l.topics, e)
	}
}

// entry is one file that should hold a topic, or the categories.
type entry struct {
	name string
	// id is the number at the end of a topic's name, by which topics are ordered.
	id   int64
	size int64
	// mark changes when the content does: a checksum or a time.
	mark string
	// ref is the source's own way back to the entry.
	ref int64
}

// openSource finds out what path is, and opens it.
func openSource(name string, maxTotal int64) (source, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return openFolder(name, maxTotal)
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("neither a folder nor a regular file")
	}
	stamp := fileStamp{name: name, info: info}
	lower := strings.ToLower(name)
	switch {
	case strings.HasSuffix(lower, ".zip"):
		return openZip(stamp, maxTotal)
	case strings.HasSuffix(lower, ".tar"):
		f, err := os.Open(name) //nolint:gosec // The path is the operator's.
		if err != nil {
			return nil, err
		}
		return indexTar(stamp, f, maxTotal)
	case strings.HasSuffix(lower, ".tar.gz"), strings.HasSuffix(lower, ".tgz"):
		return openTarGz(stamp, maxTotal)
	}
	return nil, errors.New("not a folder, .zip, .tar, .tar.gz or .tgz")
}

// fileStamp tells whether a file is still the one that was opened.
type fileStamp struct {
	name string
	info os.FileInfo
}

func (s fileStamp) fresh() bool {
	info, err := os.Stat(s.name)
	return err == nil && os.SameFile(info, s.info) && info.ModTime().Equal(s.info.ModTime()) && info.Size() == s.info.Size()
}

// tally bounds a listing while it grows.
type tally struct {
	entries  int
	bytes    int64
	maxTotal int64
}

// add counts an entry, topic or not; an error means that the archive is refused.
func (t *tally) add(size int64) error {
	t.entries++
	t.bytes += max(size, 0)
	if t.entries > maxEntries {
		return fmt.Errorf("more than %d entries; split the archive", maxEntries)
	}
	if t.bytes > t.maxTotal {
		return fmt.Errorf("its entries come to more than %d MiB; raise settings.maxTotalMiB if that is meant", t.maxTotal>>20)
	}
	return nil
}

// folder is a directory tree. os.Root keeps symbolic links from leading out of it.
type folder struct {
	root    *os.Root
	listing listing
	// dirs are the folders' times: adding and removing files changes them.
	dirs map[string]time.Time
}

func openFolder(name string, maxTotal int64) (source, error) {
	root, err := os.OpenRoot(name)
	if err != nil {
		return nil, err
	}
	f := &folder{root: root, dirs: map[string]time.Time{}}
	t := tally{maxTotal: maxTotal}
	err = fs.WalkDir(root.FS(), ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if p != "." && strings.HasPrefix(d.Name(), ".") {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		info, err := d.Info()
		if err == nil && d.Type()&fs.ModeSymlink != 0 {
			info, err = root.Stat(filepath.FromSlash(p))
			if err != nil || info.IsDir() {
				return nil // It leads out of the folder, to nothing, or in a circle.
			}
		}
		if err != nil {
			return err
		}
		if d.IsDir() {
			f.dirs[p] = info.ModTime()
			return nil
		}
		if !info.Mode().IsRegular() {
			return nil
		}
		if err := t.add(info.Size()); err != nil {
			return err
		}
		f.listing.add(entry{name: p, size: info.Size(), mark: info.ModTime().UTC().Format(time.RFC3339Nano)})
		return nil
	})
	if err != nil {
		_ = root.Close()
		return nil, err
	}
	return f, nil
}

func (f *folder) list() listing { return f.listing }

func (f *folder) read(e entry) ([]byte, error) {
	file, err := f.root.Open(filepath.FromSlash(e.name))
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	return readBounded(file)
}

func (f *folder) close() { _ = f.root.Close() }

func (f *folder) fresh() bool {
	for p, at := range f.dirs {
		info, err := f.root.Stat(filepath.FromSlash(p))
		if err != nil || !info.ModTime().Equal(at) {
			return false
		}
	}
	return true
}

// zipFile is a zip archive; its directory gives random access.
type zipFile struct {
	fileStamp
	reader  *zip.ReadCloser
	listing listing
}

func openZip(stamp fileStamp, maxTotal int64) (source, error) {
	r, err := zip.OpenReader(stamp.name)
	if err != nil {
		return nil, damaged(err)
	}
	z := &zipFile{fileStamp: stamp, reader: r}
	t := tally{maxTotal: maxTotal}
	for i, f := range r.File {
		if f.FileInfo().IsDir() || !f.Mode().IsRegular() {
			continue
		}
		size := int64(min(f.UncompressedSize64, 1<<62))
		if err := t.add(size); err != nil {
			_ = r.Close()
			return nil, err
		}
		z.listing.add(entry{name: f.Name, size: size, mark: fmt.Sprintf("%08x", f.CRC32), ref: int64(i)})
	}
	return z, nil
}

func (z *zipFile) close() { _ = z.reader.Close() }

func (z *zipFile) list() listing { return z.listing }

func (z *zipFile) read(e entry) ([]byte, error) {
	r, err := z.reader.File[e.ref].Open()
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }()
	return readBounded(r)
}

// tarFile is a tar archive in a file that can be read at any place; ref is where an entry's content begins.
type tarFile struct {
	fileStamp
	file    *os.File
	listing listing
}

// openTarGz unpacks into a temporary file without a name, which the system takes back when it is closed.
func openTarGz(stamp fileStamp, maxTotal int64) (source, error) {
	packed, err := os.Open(stamp.name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = packed.Close() }()
	zr, err := gzip.NewReader(bufio.NewReader(packed))
	if err != nil {
		return nil, damaged(err)
	}
	tmp, err := os.CreateTemp("", "kith-archive-*")
	if err != nil {
		return nil, fmt.Errorf("no place to unpack it (set TMPDIR to a writable folder, or give a .tar, .zip or folder): %w", err)
	}
	_ = os.Remove(tmp.Name())
	// Headers and padding come on top of the entries: about 1.5 KiB each.
	limit := maxTotal + maxTotal/4 + 16<<20
	n, err := io.Copy(tmp, io.LimitReader(zr, limit+1))
	switch {
	case err != nil:
		_ = tmp.Close()
		return nil, damaged(err)
	case n > limit:
		_ = tmp.Close()
		return nil, fmt.Errorf("it unpacks to more than %d MiB; raise settings.maxTotalMiB if that is meant", maxTotal>>20)
	}
	if _, err := tmp.Seek(0, io.SeekStart); err != nil {
		_ = tmp.Close()
		return nil, err
	}
	return indexTar(stamp, tmp, maxTotal)
}

// indexTar lists a tar archive. As in unpacking, the later of two entries of one name wins.
func indexTar(stamp fileStamp, f *os.File, maxTotal int64) (source, error) {
	a := &tarFile{fileStamp: stamp, file: f}
	latest := map[string]entry{}
	t := tally{maxTotal: maxTotal}
	tr := tar.NewReader(f)
	for {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			for _, e := range latest {
				a.listing.add(e)
			}
			return a, nil
		}
		if err == nil && h.Typeflag == tar.TypeReg {
			err = t.add(h.Size)
		}
		var at int64
		if err == nil {
			at, err = f.Seek(0, io.SeekCurrent)
		}
		if err != nil {
			_ = f.Close()
			return nil, damaged(err)
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		latest[h.Name] = entry{name: h.Name, size: h.Size, mark: h.ModTime.UTC().Format(time.RFC3339Nano), ref: at}
	}
}

func (a *tarFile) close() { _ = a.file.Close() }

func (a *tarFile) list() listing { return a.listing }

func (a *tarFile) read(e entry) ([]byte, error) {
	b, err := readBounded(io.NewSectionReader(a.file, e.ref, e.size))
	if err == nil && int64(len(b)) < e.size {
		return nil, io.ErrUnexpectedEOF
	}
	return b, err
}

// errTooLarge is what readBounded says of an entry beyond maxEntryBytes.
var errTooLarge = fmt.Errorf("larger than %d MiB", maxEntryBytes>>20)

func readBounded(r io.Reader) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxEntryBytes+1))
	if err != nil {
		return nil, err
	}
	if len(b) > maxEntryBytes {
		return nil, errTooLarge
	}
	return b, nil
}

// damaged explains what a broken archive usually is.
func damaged(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, zip.ErrFormat) || errors.Is(err, tar.ErrHeader) ||
		errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum) || errors.Is(err, io.EOF) {
		return fmt.Errorf("it is truncated or damaged (%w); copy it again", err)
	}
	return err
}

// topicID is the number at the end of a file's name: 12.json, t/12.json, topic-12.json; .JSON where a file system has
// written names in capitals.
func topicID(name string) (int64, bool) {
	base := path.Base(name)
	ext := path.Ext(base)
	base = strings.TrimSuffix(base, ext)
	if !strings.EqualFold(ext, ".json") || strings.HasPrefix(base, ".") {
		return 0, false
	}
	digits := len(base)
	for digits > 0 && base[digits-1] >= '0' && base[digits-1] <= '9' {
		digits--
	}
	var id int64
	number := base[digits:]
	if number == "" || len(number) > 18 {
		return 0, false
	}
	for _, c := range number {
		id = id*10 + int64(c-'0')
	}
	return id, id > 0
}
