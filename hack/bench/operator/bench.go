// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	ctrlenvtest "sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/kith-dev/kith/api/v1alpha1"
	"github.com/kith-dev/kith/controllers"
	"github.com/kith-dev/kith/hack/bench/process"
	"github.com/kith-dev/kith/internal/testing/builders"
	"github.com/kith-dev/kith/internal/testing/envtest"
)

const (
	operatorNamespace = "kith-system"
	operatorUser      = "kith-operator"
	// namespace of everything that is measured; names tell the communities apart.
	namespace = "bench"
	// patience is how long anything may take.
	patience = 10 * time.Minute
	// settle is the time after the last status in which stragglers still belong to the beginning.
	settle = 45 * time.Second
	// after an edit, how long its writes are counted.
	afterEdit = 20 * time.Second
)

var updateOptions = metav1.UpdateOptions{FieldManager: "bench-kubelet"}

// again leaves out that an object was changed meanwhile: its next event writes the status.
func again(err error) error {
	if apierrors.IsConflict(err) || apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

// run is one measurement.
type run struct {
	o      options
	client client.Client
	stage  *stage
	audit  *audit
	pid    int
}

func bench(ctx context.Context, o options) error {
	dir, err := os.MkdirTemp("", "kith-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }() // a folder for temporary files is cleaned anyway
	fmt.Println("starting kube-apiserver and etcd")
	env, log, err := server(ctx, dir)
	if err != nil {
		return err
	}
	defer func() {
		if err := env.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, "stop the API server:", err)
		}
	}()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // of what watches: the server would wait for it
	cfg := rest.CopyConfig(env.Config)
	cfg.QPS = -1
	scheme, err := controllers.Scheme()
	if err != nil {
		return err
	}
	r := &run{o: o, audit: &audit{file: log}}
	if r.client, err = client.New(cfg, client.Options{Scheme: scheme}); err != nil {
		return err
	}
	kube, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return err
	}
	for _, name := range []string{namespace, operatorNamespace} {
		if err := r.client.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}); err != nil {
			return err
		}
	}
	var keys []types.NamespacedName
	for i := range o.communities {
		keys = append(keys, types.NamespacedName{Namespace: namespace, Name: communityName(i)})
	}
	r.stage = newStage(kube, keys)
	defer r.stage.close()
	if err := r.stage.run(ctx); err != nil {
		return err
	}
	child, err := r.operator(ctx, env, dir)
	if err != nil {
		return err
	}
	defer func() {
		_ = child.Cancel() // it may have ended
		_ = child.Wait()   // with the signal that it was sent
	}()
	return r.measure(ctx)
}

// server is an API server that writes down what the operator asks.
func server(ctx context.Context, dir string) (env *ctrlenvtest.Environment, log string, err error) {
	assets, err := envtest.Assets(ctx)
	if err != nil {
		return nil, "", err
	}
	policy := filepath.Join(dir, "audit.yaml")
	log = filepath.Join(dir, "audit.log")
	if err := os.WriteFile(policy, []byte(auditPolicy), 0o600); err != nil {
		return nil, "", err
	}
	env = &ctrlenvtest.Environment{BinaryAssetsDirectory: assets, CRDDirectoryPaths: []string{"config/crd/bases"}, ErrorIfCRDPathMissing: true,
		ControlPlaneStopTimeout: time.Minute}
	env.ControlPlane.GetAPIServer().Configure().Set("audit-policy-file", policy).Set("audit-log-path", log)
	if _, err := env.Start(); err != nil {
		return nil, "", fmt.Errorf("start the API server: %w", err)
	}
	return env, log, nil
}

// operator starts what is measured, as a user of its own.
func (r *run) operator(ctx context.Context, env *ctrlenvtest.Environment, dir string) (*exec.Cmd, error) {
	user, err := env.AddUser(ctrlenvtest.User{Name: operatorUser, Groups: []string{"system:masters"}}, nil)
	if err != nil {
		return nil, err
	}
	kubeconfig, err := user.KubeConfig()
	if err != nil {
		return nil, err
	}
	setup := operatorSetup{Kubeconfig: filepath.Join(dir, "kubeconfig")}
	if err := os.WriteFile(setup.Kubeconfig, kubeconfig, 0o600); err != nil {
		return nil, err
	}
	setup.Hubs, setup.Roots = r.stage.addresses()
	child, err := startOperator(ctx, setup, filepath.Join(dir, "operator.json"), r.o.keep)
	if err != nil {
		return nil, err
	}
	r.pid = child.Process.Pid
	// It leads before anything is declared: starting is not what is measured.
	err = r.wait(ctx, "the operator to lead", func(context.Context) (bool, error) {
		requests, err := r.audit.since()
		leads := slices.ContainsFunc(requests, func(q request) bool {
			return q.ObjectRef.Resource == "leases" && q.writes() && q.ResponseStatus.Code < 300
		})
		return leads, ignoreMissing(err)
	})
	return child, err
}

func ignoreMissing(err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

func communityName(i int) string { return fmt.Sprintf("community-%02d", i) }
func channelName(i int) string   { return fmt.Sprintf("channel-%04d", i) }

func (r *run) measure(ctx context.Context) error {
	began := time.Now()
	if err := r.declare(ctx); err != nil {
		return err
	}
	declared := time.Since(began)
	want := r.o.channels + r.o.communities
	if err := r.wait(ctx, fmt.Sprintf("%d Deployments", want), func(context.Context) (bool, error) {
		n, _ := r.stage.seen()
		return n == want, nil
	}); err != nil {
		return err
	}
	_, last := r.stage.seen()
	if err := r.wait(ctx, "all statuses", r.ready); err != nil {
		return err
	}
	ready := time.Since(began)
	fmt.Printf("declared %d channels, %d communities, %d behaviours and %d objectives in %.1f s\n", r.o.channels, r.o.communities,
		3*r.o.communities, r.o.communities, declared.Seconds())
	fmt.Printf("deployments: all %d after %.1f s\nstatuses: all Ready after %.1f s\n", want, last.Sub(began).Seconds(), ready.Seconds())
	if err := r.pause(ctx, settle); err != nil {
		return err
	}
	requests, err := r.audit.since()
	if err != nil {
		return err
	}
	c := count(requests)
	fmt.Printf("writes: %d, %.2f per channel; %d conflicts, %d refused; %d reads\n%s", c.writes, float64(c.writes)/float64(r.o.channels),
		c.conflicts, c.failed, c.reads, c.lines(r.o.channels))
	busy, err := process.Of(r.pid)
	if err != nil {
		return err
	}
	fmt.Printf("operator: %v\n", busy)
	if err := r.edit(ctx); err != nil {
		return err
	}
	return r.rest(ctx, busy)
}

// edit changes one Behaviour and tells what that writes.
func (r *run) edit(ctx context.Context) error {
	b := &v1alpha1.Behaviour{}
	if err := r.client.Get(ctx, types.NamespacedName{Namespace: namespace, Name: communityName(0) + "-solved"}, b); err != nil {
		return err
	}
	b.Spec.Settle = "3d"
	if err := r.client.Update(ctx, b); err != nil {
		return err
	}
	if err := r.pause(ctx, afterEdit); err != nil {
		return err
	}
	requests, err := r.audit.since()
	if err != nil {
		return err
	}
	c := count(requests)
	slices.Sort(c.names)
	fmt.Printf("editing one Behaviour writes: %s\n", strings.Join(c.names, ", "))
	return nil
}

// rest counts what an operator writes that has nothing to do.
func (r *run) rest(ctx context.Context, before process.Usage) error {
	if err := r.pause(ctx, 30*time.Second); err != nil {
		return err
	}
	if _, err := r.audit.since(); err != nil {
		return err
	}
	quiet, err := process.Of(r.pid)
	if err != nil {
		return err
	}
	fmt.Printf("idle for %v …\n", r.o.idle)
	if err := r.pause(ctx, r.o.idle); err != nil {
		return err
	}
	requests, err := r.audit.since()
	if err != nil {
		return err
	}
	c := count(requests)
	after, err := process.Of(r.pid)
	if err != nil {
		return err
	}
	fmt.Printf("idle: %d writes (and %d of Leases), %d reads, %.2f %% of a core\n%s", c.writes, c.leases, c.reads,
		100*(after.CPU-quiet.CPU).Seconds()/r.o.idle.Seconds(), c.lines(r.o.channels))
	fmt.Printf("operator after that: %v (before: %v)\n", after, before)
	return nil
}

// declare applies everything, sixteen at once.
func (r *run) declare(ctx context.Context) error {
	var all []client.Object
	for i := range r.o.communities {
		name := communityName(i)
		all = append(all, builders.MakeCommunity(name).Namespace(namespace).Team("team", v1alpha1.PartyCompany).Goal("goal").Obj())
		all = append(all, resources(name)...)
	}
	for i := range r.o.channels {
		c := builders.MakeChannel(channelName(i)).Obj()
		c.Namespace = namespace
		c.Spec.CommunityRef.Name = v1alpha1.Name(communityName(i % r.o.communities))
		c.Spec.Team = "team"
		c.Spec.URL = "https://forum-" + strconv.Itoa(i) + ".example"
		c.Spec.CredentialsSecretRef = &v1alpha1.SecretReference{Name: channelName(i)}
		all = append(all, c)
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(16)
	for _, obj := range all {
		g.Go(func() error {
			if err := r.client.Create(ctx, obj); err != nil {
				return fmt.Errorf("declare %T %s: %w", obj, obj.GetName(), err)
			}
			return nil
		})
	}
	return g.Wait()
}

// ready is whether every resource is.
func (r *run) ready(ctx context.Context) (bool, error) {
	var channels v1alpha1.ChannelList
	var communities v1alpha1.CommunityList
	var behaviours v1alpha1.BehaviourList
	for _, list := range []client.ObjectList{&communities, &channels, &behaviours} {
		if err := r.client.List(ctx, list, client.InNamespace(namespace)); err != nil {
			return false, err
		}
	}
	left := 0
	look := func(conditions []metav1.Condition) {
		if !meta.IsStatusConditionTrue(conditions, v1alpha1.ConditionReady) {
			left++
		}
	}
	for i := range channels.Items {
		look(channels.Items[i].Status.Conditions)
	}
	for i := range communities.Items {
		look(communities.Items[i].Status.Conditions)
	}
	for i := range behaviours.Items {
		look(behaviours.Items[i].Status.Conditions)
	}
	return left == 0, nil
}

// wait asks again and again.
func (r *run) wait(ctx context.Context, what string, done func(context.Context) (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		ok, err := done(ctx)
		if err != nil {
			return fmt.Errorf("wait for %s: %w", what, err)
		}
		if ok {
			return nil
		}
		if err := r.pause(ctx, 250*time.Millisecond); err != nil {
			return fmt.Errorf("wait for %s: %w", what, err)
		}
	}
}

func (r *run) pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case err := <-r.stage.errs:
		return err
	case <-t.C:
		return nil
	}
}
