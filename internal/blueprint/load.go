// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package blueprint

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/yaml"

	"github.com/kith-dev/kith/api/v1alpha1"
	"github.com/kith-dev/kith/internal/crdcheck"
)

// Bounds of what is read from a folder.
const (
	MaxFiles     = 1000
	MaxFileBytes = 4 << 20
	MaxAllBytes  = 64 << 20
	MaxDocuments = 10_000
)

// DefaultNamespace is that of resources that name none.
const DefaultNamespace = "default"

// Note is something that was skipped on purpose, and is none of Kith's business.
type Note struct {
	File    string
	Line    int
	Message string
}

// String is the note on one line.
func (n Note) String() string {
	if n.Line > 0 {
		return fmt.Sprintf("%s:%d: %s", n.File, n.Line, n.Message)
	}
	return n.File + ": " + n.Message
}

// Loaded is what was found in a folder.
type Loaded struct {
	// Resources are those that a cluster would accept, each with its origin.
	Resources Resources
	// Problems of the others.
	Problems []Problem
	Notes    []Note
}

// LoadDir reads the manifests of a folder (*.yaml, *.yml and *.json, not of folders in it), or of a single file. Each is
// defaulted and judged as a cluster would, and left out where it is wrong. Other people's resources, such as Secrets, are
// skipped with a note, and their contents go nowhere. The error is about the folder itself, and nothing else.
func LoadDir(dir string) (*Loaded, error) {
	checker, err := crdcheck.New()
	if err != nil {
		return nil, err
	}
	l := newLoader(checker)
	files, err := l.files(dir)
	if err != nil {
		return nil, err
	}
	total := 0
	for _, file := range files {
		content, err := readBounded(file)
		if err != nil {
			l.fail(file, 0, err.Error(), "")
			continue
		}
		if total += len(content); total > MaxAllBytes {
			return nil, fmt.Errorf("read manifests from %s: they have more than %d MiB in all: divide them", dir, MaxAllBytes>>20)
		}
		l.file(file, content)
	}
	sortProblems(l.out.Problems)
	return l.out, nil
}

// LoadBytes reads one file's content, as LoadDir does.
func LoadBytes(file string, content []byte) (*Loaded, error) {
	checker, err := crdcheck.New()
	if err != nil {
		return nil, err
	}
	l := newLoader(checker)
	l.file(file, content)
	sortProblems(l.out.Problems)
	return l.out, nil
}

type loader struct {
	checker   *crdcheck.Checker
	out       *Loaded
	documents int
}

func newLoader(checker *crdcheck.Checker) *loader {
	return &loader{checker: checker, out: &Loaded{Resources: Resources{Origins: map[Key]Origin{}}}}
}

func (l *loader) fail(file string, line int, message, remedy string) {
	l.out.Problems = append(l.out.Problems, Problem{
		File: file, Line: line, Severity: Error, Reason: v1alpha1.ReasonInvalidSpec, Message: message, Remedy: remedy,
	})
}

func (l *loader) note(file string, line int, format string, args ...any) {
	l.out.Notes = append(l.out.Notes, Note{file, line, fmt.Sprintf(format, args...)})
}

// files are the manifests of a folder, sorted. Hidden names are left out: editors and mounted ConfigMaps keep theirs there.
func (l *loader) files(dir string) ([]string, error) {
	info, err := os.Stat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no folder or file %s: name the one that holds the manifests", dir)
	}
	if err != nil {
		return nil, fmt.Errorf("read manifests: %w", err)
	}
	if !info.IsDir() {
		return []string{dir}, nil
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("read manifests: %w", err)
	}
	var files []string
	for _, entry := range entries {
		name := entry.Name()
		if strings.HasPrefix(name, ".") || !slices.Contains([]string{".yaml", ".yml", ".json"}, strings.ToLower(filepath.Ext(name))) {
			continue
		}
		file := filepath.Join(dir, name)
		if info, err := os.Stat(file); err != nil || !info.Mode().IsRegular() {
			l.note(file, 0, "skipped: it is no regular file")
			continue
		}
		if base := strings.TrimSuffix(strings.ToLower(name), filepath.Ext(name)); base == "kustomization" {
			l.note(file, 0, "skipped: kustomizations are not built, each file is read as it is")
			continue
		}
		files = append(files, file)
	}
	if len(files) > MaxFiles {
		return nil, fmt.Errorf("read manifests from %s: there are %d files, and at most %d are read: divide them", dir, len(files), MaxFiles)
	}
	return files, nil
}

func readBounded(file string) ([]byte, error) {
	f, err := os.Open(file) //nolint:gosec // reading the files that the user names is what this is for
	if err != nil {
		var pathErr *fs.PathError
		if errors.As(err, &pathErr) {
			err = pathErr.Err // the problem names the file already
		}
		return nil, fmt.Errorf("cannot be read: %w", err)
	}
	defer func() { _ = f.Close() }() // nothing was written
	content, err := io.ReadAll(io.LimitReader(f, MaxFileBytes+1))
	if err != nil {
		return nil, fmt.Errorf("cannot be read: %w", err)
	}
	if len(content) > MaxFileBytes {
		return nil, fmt.Errorf("has more than %d MiB: divide it", MaxFileBytes>>20)
	}
	return content, nil
}

func (l *loader) file(file string, content []byte) {
	for _, d := range split(content) {
		if l.documents++; l.documents > MaxDocuments {
			l.fail(file, d.line, fmt.Sprintf("there are more than %d documents", MaxDocuments), "divide them")
			return
		}
		l.document(file, d)
	}
}

// document is one part of a file, and the line on which it starts.
type document struct {
	content []byte
	line    int
}

// split divides a file at its lines of "---".
func split(content []byte) []document {
	text := strings.TrimPrefix(string(content), "\ufeff")
	var documents []document
	start, line := 0, 1
	at, number := 0, 1
	for l := range strings.Lines(text) {
		if rest, found := strings.CutPrefix(l, "---"); found && (rest == "" || strings.ContainsAny(rest[:1], " \t\r\n")) {
			documents = append(documents, document{[]byte(text[start:at]), line})
			start, line = at+len(l), number+1
		}
		at += len(l)
		number++
	}
	return append(documents, document{[]byte(text[start:]), line})
}

var yamlLine = regexp.MustCompile(`line (\d+)`)

// plain takes the parser's own names out of an error, and counts its lines from the file's first. The parser may mean
// the line behind the last one; people cannot go there.
func plain(err error, d document) (message string, line int) {
	last := d.line + strings.Count(strings.TrimSuffix(string(d.content), "\n"), "\n")
	message = strings.TrimPrefix(err.Error(), "error converting YAML to JSON: ")
	message = strings.TrimPrefix(message, "yaml: ")
	message = strings.TrimPrefix(message, "unmarshal errors:\n  ")
	message = yamlLine.ReplaceAllStringFunc(message, func(match string) string {
		n, err := strconv.Atoi(strings.TrimPrefix(match, "line "))
		if err != nil {
			return match
		}
		n = min(d.line+n-1, last)
		if line == 0 {
			line = n
		}
		return "line " + strconv.Itoa(n)
	})
	return strings.ReplaceAll(message, "\n", " "), max(line, d.line)
}

func (l *loader) document(file string, d document) {
	raw, err := yaml.YAMLToJSONStrict(d.content)
	if err != nil {
		message, line := plain(err, d)
		l.fail(file, line, "it is no YAML: "+message, "correct it: nothing of this document is read")
		return
	}
	var content any
	if err := json.Unmarshal(raw, &content); err != nil {
		l.fail(file, d.line, "it cannot be read: "+err.Error(), "")
		return
	}
	if content == nil {
		return
	}
	object, isObject := content.(map[string]any)
	if !isObject {
		l.fail(file, d.line, "it is no resource", "write apiVersion, kind, metadata and spec")
		return
	}
	l.resource(file, d, &unstructured.Unstructured{Object: object})
}

func (l *loader) resource(file string, d document, obj *unstructured.Unstructured) {
	lines := newLines(d)
	if l.foreign(file, lines, obj) {
		return
	}
	key := Key{obj.GetKind(), obj.GetNamespace(), obj.GetName()}
	if key.Namespace == "" && unstructured.SetNestedField(obj.Object, DefaultNamespace, "metadata", "namespace") == nil {
		key.Namespace = DefaultNamespace
	}
	origin := Origin{File: file, Line: lines.of}
	report := func(p Problem) {
		p.Kind, p.Namespace, p.Name, p.File, p.Line = key.Kind, key.Namespace, key.Name, file, lines.of(p.Path)
		l.out.Problems = append(l.out.Problems, p)
	}
	for _, path := range quoteOn(obj) {
		report(Problem{
			Path: path, Severity: Warning, Reason: v1alpha1.ReasonInvalidSpec,
			Message: "a bare on is true to YAML, and kubectl refuses the field", Remedy: `write "on" in quotes`,
		})
	}
	l.checker.Default(obj)
	found := l.checker.Validate(obj, nil)
	for _, p := range found {
		report(Problem{Path: p.Path, Severity: Error, Reason: v1alpha1.ReasonInvalidSpec, Message: p.Message, Remedy: p.Remedy})
	}
	if first, twice := l.out.Resources.Origins[key]; twice {
		report(Problem{
			Path: "metadata.name", Severity: Error, Reason: v1alpha1.ReasonInvalidSpec,
			Message: fmt.Sprintf("%s %q is also in %s, line %d, which is used", key.Kind, key.Name, first.File, first.Line("")),
			Remedy:  "rename or remove one of them",
		})
		return
	}
	if len(found) > 0 {
		return
	}
	if err := l.add(obj); err != nil {
		report(Problem{Severity: Error, Reason: v1alpha1.ReasonInvalidSpec, Message: err.Error()})
		return
	}
	l.out.Resources.Origins[key] = origin
}

// foreign is whether a document is none of ours; a note or a problem says so.
func (l *loader) foreign(file string, lines *lines, obj *unstructured.Unstructured) bool {
	apiVersion, kind := obj.GetAPIVersion(), obj.GetKind()
	group, _, _ := strings.Cut(apiVersion, "/")
	ours := slices.Contains(l.checker.Kinds(), kind)
	switch {
	case group == v1alpha1.GroupVersion.Group:
		return false
	case apiVersion == "" || kind == "":
		l.fail(file, lines.of(""), "it is no resource: apiVersion and kind are missing", "write apiVersion: "+v1alpha1.GroupVersion.String()+" and a kind")
	case ours:
		l.fail(file, lines.of("apiVersion"), fmt.Sprintf("a %s of %s is none of Kith's", kind, apiVersion), "write apiVersion: "+v1alpha1.GroupVersion.String())
	default:
		l.note(file, lines.of(""), "skipped: %s is none of Kith's kinds", kind)
	}
	return true
}

// quoteOn repairs what YAML makes of a bare on, and returns where that was. Only the fields of that name are looked at.
func quoteOn(obj *unstructured.Unstructured) (paths []string) {
	spec, isObject := obj.Object["spec"].(map[string]any)
	if !isObject {
		return nil
	}
	repair := func(at map[string]any, path string) {
		value, bare := at["true"]
		if _, quoted := at["on"]; bare && !quoted {
			delete(at, "true")
			at["on"] = value
			paths = append(paths, path+".on")
		}
	}
	switch obj.GetKind() {
	case v1alpha1.KindBehaviour:
		repair(spec, "spec")
	case v1alpha1.KindObjective:
		agreed, _ := spec["agreed"].([]any)
		for i, item := range agreed {
			if agreement, isObject := item.(map[string]any); isObject {
				repair(agreement, fmt.Sprintf("spec.agreed[%d]", i))
			}
		}
	}
	return paths
}

func (l *loader) add(obj *unstructured.Unstructured) error {
	r := &l.out.Resources
	switch obj.GetKind() {
	case v1alpha1.KindCommunity:
		return decodeInto(obj, &r.Communities)
	case v1alpha1.KindChannel:
		return decodeInto(obj, &r.Channels)
	case v1alpha1.KindBehaviour:
		return decodeInto(obj, &r.Behaviours)
	case v1alpha1.KindObjective:
		return decodeInto(obj, &r.Objectives)
	}
	return fmt.Errorf("kind %s is judged, but not read", obj.GetKind())
}

func decodeInto[T any](obj *unstructured.Unstructured, list *[]*T) error {
	var typed T
	if err := crdcheck.Decode(obj, &typed); err != nil {
		return err
	}
	*list = append(*list, &typed)
	return nil
}
