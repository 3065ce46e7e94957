// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package blueprint

import (
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// lines finds the lines of fields in one document. It is parsed a second time for that, and only when somebody asks.
type lines struct {
	document document
	root     *yaml.Node
	parsed   bool
}

func newLines(d document) *lines { return &lines{document: d} }

// of is the line of a field such as spec.on[0], or of the nearest thing around it.
func (l *lines) of(path string) int {
	if !l.parsed {
		l.parsed = true
		var node yaml.Node
		if err := yaml.Unmarshal(l.document.content, &node); err == nil && len(node.Content) > 0 {
			l.root = node.Content[0]
		}
	}
	if l.root == nil {
		return l.document.line
	}
	node, line := l.root, l.root.Line
	for _, step := range steps(path) {
		next, at := enter(node, step)
		if next == nil {
			break
		}
		node, line = next, at
	}
	return l.document.line + line - 1
}

// enter goes one step down; the line is that of the key, since a value may start on a later one.
func enter(node *yaml.Node, step string) (*yaml.Node, int) {
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	switch node.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(node.Content); i += 2 {
			if node.Content[i].Value == step {
				return node.Content[i+1], node.Content[i].Line
			}
		}
	case yaml.SequenceNode:
		if n, err := strconv.Atoi(step); err == nil && n >= 0 && n < len(node.Content) {
			return node.Content[n], node.Content[n].Line
		}
	}
	return nil, 0
}

// steps divides spec.worth[0].factor and metadata.labels[a.b] into their parts.
func steps(path string) []string {
	var out []string
	for path != "" {
		switch {
		case path[0] == '[':
			inside, rest, _ := strings.Cut(path[1:], "]")
			out, path = append(out, inside), rest
		case path[0] == '.':
			path = path[1:]
		default:
			end := strings.IndexAny(path, ".[")
			if end < 0 {
				end = len(path)
			}
			out, path = append(out, path[:end]), path[end:]
		}
	}
	return out
}
