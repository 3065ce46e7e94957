// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package expr

import (
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
)

// provider tells CEL the types of our variables and how to read them: by plain functions, without reflection.
type provider struct {
	*types.Registry
	// variables are the fields of the variable "variables" in one environment.
	variables map[string]*types.Type
}

func newProvider(variables map[string]*types.Type) (*provider, error) {
	registry, err := types.NewRegistry()
	if err != nil {
		return nil, fmt.Errorf("set up the types of expressions: %w", err)
	}
	return &provider{registry, variables}, nil
}

// FindStructType knows our types by name.
func (p *provider) FindStructType(name string) (*types.Type, bool) {
	if name == variablesType.TypeName() {
		return types.NewTypeTypeWithParam(variablesType), true
	}
	if o, known := objects[name]; known {
		return types.NewTypeTypeWithParam(o.typ), true
	}
	return p.Registry.FindStructType(name)
}

// FindStructFieldNames are the fields of one of our types, sorted.
func (p *provider) FindStructFieldNames(name string) ([]string, bool) {
	if name == variablesType.TypeName() {
		return slices.Sorted(maps.Keys(p.variables)), true
	}
	if o, known := objects[name]; known {
		return slices.Sorted(maps.Keys(o.fields)), true
	}
	return p.Registry.FindStructFieldNames(name)
}

// FindStructFieldType is a field's type and how it is read.
func (p *provider) FindStructFieldType(name, fieldName string) (*types.FieldType, bool) {
	if name == variablesType.TypeName() {
		// Variables are replaced by their expressions before anything is evaluated: they have a type, but no getter.
		t, known := p.variables[fieldName]
		return &types.FieldType{Type: t}, known
	}
	o, known := objects[name]
	if !known {
		return p.Registry.FindStructFieldType(name, fieldName)
	}
	f, known := o.fields[fieldName]
	if !known {
		return nil, false
	}
	return &types.FieldType{
		Type:    f.typ,
		IsSet:   func(target any) bool { return f.isSet == nil || f.isSet(target) },
		GetFrom: func(target any) (any, error) { return f.get(target), nil },
	}, true
}

// NewValue refuses to make values of our types: expressions only read.
func (p *provider) NewValue(name string, fields map[string]ref.Val) ref.Val {
	if _, known := objects[name]; known {
		return types.NewErr("%s cannot be made by an expression", name)
	}
	return p.Registry.NewValue(name, fields)
}

// NativeToValue wraps our structs where an expression uses one as a whole.
func (p *provider) NativeToValue(value any) ref.Val {
	switch v := value.(type) {
	case ref.Val:
		return v
	case *Person:
		return objectValue{personType, v, v.ID}
	case *Event:
		return objectValue{eventType, v, ""}
	case *Thread:
		return objectValue{threadType, v, v.ID}
	case *Parent:
		return objectValue{parentType, v, v.ID}
	case *Channel:
		return objectValue{channelType, v, v.Name}
	}
	return p.Registry.NativeToValue(value)
}

// objectValue is one of our structs as a CEL value: persons, threads and messages are equal when their ids are.
type objectValue struct {
	typ    *types.Type
	native any
	id     string
}

// ConvertToNative gives the struct back; nothing else can be made of it.
func (o objectValue) ConvertToNative(want reflect.Type) (any, error) {
	if reflect.TypeOf(o.native).AssignableTo(want) {
		return o.native, nil
	}
	return nil, fmt.Errorf("%s cannot become %v", o.typ, want)
}

// ConvertToType knows type(x) only.
func (o objectValue) ConvertToType(want ref.Type) ref.Val {
	switch want.TypeName() {
	case o.typ.TypeName():
		return o
	case types.TypeType.TypeName():
		return o.typ
	}
	return types.NewErr("%s cannot become %s", o.typ, want.TypeName())
}

// Equal compares ids.
func (o objectValue) Equal(other ref.Val) ref.Val {
	that, same := other.(objectValue)
	return types.Bool(same && that.typ == o.typ && that.id == o.id && (o.id != "" || that.native == o.native))
}

// Type is the CEL type.
func (o objectValue) Type() ref.Type { return o.typ }

// Value is the struct.
func (o objectValue) Value() any { return o.native }

// Get reads a field when it is chosen while evaluating.
func (o objectValue) Get(index ref.Val) ref.Val {
	name, isText := index.(types.String)
	if f, known := objects[o.typ.TypeName()].fields[string(name)]; isText && known {
		if value, isValue := f.get(o.native).(ref.Val); isValue {
			return value
		}
	}
	return types.NewErr("no such field")
}

// IsSet answers has() when a field is chosen while evaluating.
func (o objectValue) IsSet(index ref.Val) ref.Val {
	name, isText := index.(types.String)
	f, known := objects[o.typ.TypeName()].fields[string(name)]
	if !isText || !known {
		return types.NewErr("no such field")
	}
	return types.Bool(f.isSet == nil || f.isSet(o.native))
}

// activation is an Input as CEL sees it.
type activation struct{ in *Input }

// ResolveName finds a variable.
func (a activation) ResolveName(name string) (any, bool) { return a.in.resolve(name) }

// Parent is none.
func (a activation) Parent() cel.Activation { return nil }
