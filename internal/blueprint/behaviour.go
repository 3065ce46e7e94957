// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package blueprint

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/kith-dev/kith/api/event"
	"github.com/kith-dev/kith/api/v1alpha1"
	"github.com/kith-dev/kith/internal/expr"
)

// compiledBehaviour is a behaviour with what objectives are judged by.
type compiledBehaviour struct {
	out Behaviour
	// programs must all hold for a case: among, when and confirm.
	programs []*expr.Program
	basis    *compiledBehaviour
	finding  finding
	// about is the kind of event that the finding is about.
	about event.Kind
}

func (u *unit) compileBehaviours() {
	u.compiled = map[string]*compiledBehaviour{}
	byName := map[string]*v1alpha1.Behaviour{}
	for _, b := range u.behaviours {
		byName[b.Name] = b
	}
	// A behaviour is compiled after the one that it is of; the path notices when that leads back.
	done := map[string]bool{}
	var compile func(b *v1alpha1.Behaviour, path []string)
	compile = func(b *v1alpha1.Behaviour, path []string) {
		if done[b.Name] || slices.Contains(path, b.Name) {
			return
		}
		path = append(path, b.Name)
		if basis := byName[string(b.Spec.Of)]; basis != nil {
			compile(basis, path)
		}
		done[b.Name] = true
		u.behaviour(b, byName)
	}
	for _, b := range u.behaviours {
		compile(b, nil)
	}
	for _, b := range u.behaviours {
		if c := u.compiled[b.Name]; c != nil {
			u.out.Behaviours = append(u.out.Behaviours, c.out)
		}
	}
}

func (u *unit) behaviour(b *v1alpha1.Behaviour, byName map[string]*v1alpha1.Behaviour) {
	a := u.at(v1alpha1.KindBehaviour, b)
	spec := &b.Spec
	c := &compiledBehaviour{out: Behaviour{
		Name: b.Name, Title: title(spec.Title), Family: string(spec.Family), Role: orDefault(string(spec.Role), RoleValue),
		On: kinds(spec.On), After: a.duration("spec.after", spec.After),
		Of: string(spec.Of), Among: string(spec.Among),
		When: string(spec.When), Confirm: string(spec.Confirm),
		Per:    Per{Scope: orDefault(string(spec.Per.Scope), PerThread), Within: a.duration("spec.per.within", spec.Per.Within)},
		Settle: a.duration("spec.settle", spec.Settle),
	}}
	u.trigger(a, spec, c)
	u.sides(a, spec, c)
	if spec.Of != "" {
		u.of(a, b, c, byName)
	}
	u.expressions(a, spec, c)
	u.worth(a, spec, c)
	if a.bad() {
		return
	}
	u.guard(a, c)
	c.out.Generation = generation(c)
	u.compiled[b.Name] = c
}

// trigger repeats what the schema says of on, of and after, for resources that never met it.
func (u *unit) trigger(a at, spec *v1alpha1.BehaviourSpec, c *compiledBehaviour) {
	if (len(spec.On) > 0) == (spec.Of != "") {
		a.invalid("spec", "exactly one of on and of is needed",
			`give the events ("on"), or the behaviour whose cases this one fulfils (of)`)
	}
	if slices.Contains(c.out.On, event.ThreadAged) != (c.out.After > 0) {
		a.invalid("spec.after", "after belongs to ThreadAged in on", "give both, or neither")
	}
	for i, kind := range spec.On {
		a.kindExists(fmt.Sprintf("spec.on[%d]", i), kind)
	}
	for i, kind := range spec.CompletedBy {
		a.kindExists(fmt.Sprintf("spec.completedBy[%d]", i), kind)
	}
}

func (a at) kindExists(path string, kind v1alpha1.EventType) {
	if !slices.Contains(expr.Kinds(), string(kind)) {
		a.missing(path, "event", kind, expr.Kinds())
	}
}

// sides settles whose deed it is, and who gains.
func (u *unit) sides(a at, spec *v1alpha1.BehaviourSpec, c *compiledBehaviour) {
	credit := CreditAuthor
	if c.out.Role == RoleBasis {
		credit = CreditNone
	}
	c.out.Credit = orDefault(string(spec.Credit), credit)
	c.out.Benefits = orDefault(string(spec.Benefits), BenefitsNone)
	needsPair := c.out.Per.Scope == PerPair || c.out.Per.Scope == PerPairInThread
	if needsPair && (c.out.Credit == CreditNone || c.out.Benefits == BenefitsNone) {
		a.invalid("spec.per.scope", "a pair is who did it and who gains by it", "give credit and benefits, or another scope")
	}
	if c.out.Per.Scope == PerMember && c.out.Credit == CreditNone {
		a.invalid("spec.per.scope", "once per member needs somebody whose deed it is", "give credit, or another scope")
	}
}

// of checks the chain of behaviours and takes over the deadline.
func (u *unit) of(a at, b *v1alpha1.Behaviour, c *compiledBehaviour, byName map[string]*v1alpha1.Behaviour) {
	if chain := cycle(b, byName); chain != nil {
		a.invalid("spec.of", "it leads back to itself: "+strings.Join(chain, " → "), "break the chain: a basis has on")
		return
	}
	if _, exists := byName[c.out.Of]; !exists {
		a.missing("spec.of", "Behaviour", c.out.Of, u.behaviourNames())
		return
	}
	c.basis = u.compiled[c.out.Of]
	if c.basis == nil {
		a.error("spec.of", v1alpha1.ReasonDependencyNotAccepted, fmt.Sprintf("Behaviour %q is not accepted", c.out.Of), "correct that one first")
		return
	}
	c.out.CompletedBy = kinds(b.Spec.CompletedBy)
	if len(c.out.CompletedBy) == 0 {
		c.out.CompletedBy = []event.Kind{event.MessagePosted}
	}
	c.out.Within = a.duration("spec.within", b.Spec.Within)
	if c.out.Within == 0 {
		c.out.Within = max(c.basis.out.After, c.basis.out.Settle, c.basis.out.Within)
	}
	if c.out.Within == 0 {
		a.invalid("spec.within", fmt.Sprintf("there is no deadline: Behaviour %q has no after", c.out.Of),
			"say within which time after the opening a case can be fulfilled")
	}
}

// cycle is the chain of names from a behaviour back to itself; nil where there is none.
func cycle(b *v1alpha1.Behaviour, byName map[string]*v1alpha1.Behaviour) []string {
	chain := []string{b.Name}
	for next := byName[string(b.Spec.Of)]; next != nil; next = byName[string(next.Spec.Of)] {
		if next.Name == b.Name {
			return append(chain, b.Name)
		}
		if slices.Contains(chain, next.Name) {
			return nil // a cycle further on, which is reported there
		}
		chain = append(chain, next.Name)
	}
	return nil
}

func (u *unit) behaviourNames() []string {
	return names(u.behaviours, func(b *v1alpha1.Behaviour) v1alpha1.Name { return v1alpha1.Name(b.Name) })
}

func (u *unit) expressions(a at, spec *v1alpha1.BehaviourSpec, c *compiledBehaviour) {
	variables := make([]expr.Variable, len(spec.Variables))
	for i, v := range spec.Variables {
		variables[i] = expr.Variable{Name: v.Name, Expression: string(v.Expression)}
		c.out.Variables = append(c.out.Variables, Variable{Name: v.Name, Expression: string(v.Expression)})
	}
	env, problems := u.env.WithVariables(variables)
	used := map[string]bool{}
	for _, p := range problems {
		a.expression(fmt.Sprintf("spec.variables[%d].expression", p.Index), p.Err)
		used[variables[p.Index].Name] = true // one problem is enough
	}
	for _, part := range []struct{ path, source string }{
		{"spec.among", c.out.Among}, {"spec.when", c.out.When}, {"spec.confirm", c.out.Confirm},
	} {
		if part.source == "" {
			continue
		}
		program, err := env.Compile(part.source)
		if err != nil {
			// What only fails because of a bad variable has been said.
			if len(problems) == 0 || !strings.Contains(err.Error(), "variables has no field") {
				a.expression(part.path, err)
			}
			continue
		}
		c.programs = append(c.programs, program)
		c.out.ReadsText = c.out.ReadsText || program.ReadsText()
		for _, v := range variables {
			used[v.Name] = used[v.Name] || strings.Contains(part.source, "variables."+v.Name)
		}
	}
	u.unusedVariables(a, variables, used)
}

func (u *unit) unusedVariables(a at, variables []expr.Variable, used map[string]bool) {
	for i, v := range slices.Backward(variables) {
		if !used[v.Name] {
			a.warn(fmt.Sprintf("spec.variables[%d]", i), v1alpha1.ReasonInvalidSpec,
				fmt.Sprintf("variable %q is not used", v.Name), "use it as variables."+v.Name+", or remove it")
			continue
		}
		for _, before := range variables[:i] {
			used[before.Name] = used[before.Name] || strings.Contains(v.Expression, "variables."+before.Name)
		}
	}
}

func (u *unit) worth(a at, spec *v1alpha1.BehaviourSpec, c *compiledBehaviour) {
	if len(spec.Worth) > 0 && c.out.Role == RoleBasis {
		a.invalid("spec.worth", "a basis is a denominator and never worth anything", "remove worth, or make it role Value")
	}
	var factors []string
	for _, f := range u.out.Factors {
		factors = append(factors, f.Name)
	}
	for i, w := range spec.Worth {
		path := fmt.Sprintf("spec.worth[%d]", i)
		switch {
		case u.community.Spec.Value == nil:
			a.warn(path+".factor", v1alpha1.ReasonReferenceMissing,
				fmt.Sprintf("the Community declares no value factors, so %q is worth nothing yet; the behaviour counts all the same", w.Factor),
				"declare the factor in the Community's spec.value.factors")
			continue
		case slices.Contains(factors, string(w.Factor)):
		case slices.Contains(u.factorNames(), string(w.Factor)):
			a.error(path+".factor", v1alpha1.ReasonDependencyNotAccepted,
				fmt.Sprintf("value factor %q is not accepted", w.Factor), "correct it in the Community")
		default:
			a.missing(path+".factor", "value factor", w.Factor, u.factorNames())
		}
		amount := a.amounts(path+".amount", w.Amount.Low, w.Amount.Mid, w.Amount.High)
		c.out.Worth = append(c.out.Worth, Worth{Factor: string(w.Factor), Range: amount})
	}
	slices.SortFunc(c.out.Worth, func(x, y Worth) int { return strings.Compare(x.Factor, y.Factor) })
}

// factorNames are all factors of the community, good or not.
func (u *unit) factorNames() []string {
	if u.community.Spec.Value == nil {
		return nil
	}
	return names(u.community.Spec.Value.Factors, func(f v1alpha1.Factor) v1alpha1.Name { return f.Name })
}

// guard asks whether a behaviour counts activity. It stays accepted: operators may look at it, objectives may not.
func (u *unit) guard(a at, c *compiledBehaviour) {
	g := guarded{
		kinds: c.out.On, programs: c.programs, basis: c.out.Role == RoleBasis,
		perMember: c.out.Per.Scope == PerMember && c.out.Per.Within == 0,
	}
	if c.basis != nil {
		g.kinds = c.out.CompletedBy
	}
	found, kind, err := g.judge()
	if err != nil {
		a.expression("spec.when", err)
		return
	}
	if c.basis != nil && found == activity && c.basis.finding != activity {
		// It is somebody's question at least, if perhaps also the one who fulfils it.
		found = doubtful
	}
	c.finding, c.about = found, kind
	if c.out.Role == RoleBasis || found == honest {
		return
	}
	what := fmt.Sprintf("on %s it also counts what somebody does alone, in a thread of their own", kind)
	if found == activity {
		what = fmt.Sprintf("on %s it counts activity: it holds where nobody but its author is involved", kind)
	}
	a.warn("spec.when", v1alpha1.ReasonCountsActivity, what, dependOnOthers)
}

const dependOnOthers = "make it depend on somebody else, such as author.id != thread.author.id, event.answer, " +
	"thread.usedBy >= 2, or event.accepted in confirm"

// generation is a digest of what counts: titles, family and worth can change without a new one.
func generation(c *compiledBehaviour) string {
	b := c.out
	b.Title, b.Family, b.Worth, b.Generation = nil, "", nil, ""
	content := struct {
		Behaviour
		Basis string
	}{Behaviour: b}
	if c.basis != nil {
		content.Basis = c.basis.out.Generation
	}
	document, err := json.Marshal(content)
	if err != nil {
		return "" // plain strings and numbers always encode
	}
	sum := sha256.Sum256(document)
	return hex.EncodeToString(sum[:6])
}

func kinds(list []v1alpha1.EventType) []event.Kind {
	var out []event.Kind
	for _, kind := range set(list) {
		out = append(out, event.Kind(kind))
	}
	return out
}

func orDefault(value, otherwise string) string {
	if value == "" {
		return otherwise
	}
	return value
}
