// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/kith-dev/kith/controllers"
	"github.com/kith-dev/kith/internal/app"
	"github.com/kith-dev/kith/internal/hubpoll"
	"github.com/kith-dev/kith/internal/monitoring"
)

// childArgument has this program be the operator that is measured.
const childArgument = "as-the-operator"

// operatorSetup is what the measured process is told.
type operatorSetup struct {
	Kubeconfig string `json:"kubeconfig"`
	// Hubs are the addresses of the communities' hubs, by NAMESPACE/NAME; Roots is the certificate, in PEM, that they show.
	Hubs  map[string]string `json:"hubs"`
	Roots string            `json:"roots"`
}

// start runs the operator in a process of its own.
func start(ctx context.Context, setup operatorSetup, file, log string) (*exec.Cmd, error) {
	doc, err := json.Marshal(setup)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(file, doc, 0o600); err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c := exec.CommandContext(ctx, self, childArgument, file) //nolint:gosec // It is this program itself.
	c.Cancel = func() error { return c.Process.Signal(os.Interrupt) }
	c.WaitDelay = 30 * time.Second
	c.Stderr = os.Stderr
	if log != "" {
		f, err := os.Create(log) //nolint:gosec // Named on the command line.
		if err != nil {
			return nil, err
		}
		c.Stdout = f
	}
	return c, c.Start()
}

// operate is `kith operator` with hubs that are elsewhere.
func operate(ctx context.Context, file string) error {
	doc, err := os.ReadFile(file) //nolint:gosec // Named by the process that started this one.
	if err != nil {
		return err
	}
	var setup operatorSetup
	if err := json.Unmarshal(doc, &setup); err != nil {
		return err
	}
	cfg, err := clientcmd.BuildConfigFromFlags("", setup.Kubeconfig)
	if err != nil {
		return err
	}
	cfg.QPS, cfg.Burst = app.DefaultQPS, app.DefaultBurst
	rest.AddUserAgent(cfg, "kith-operator/bench")
	log := logr.FromSlogHandler(slog.NewJSONHandler(os.Stdout, nil))
	ctrl.SetLogger(log)
	op, err := controllers.NewOperator(cfg, controllers.Options{
		Settings:    controllers.Settings{Image: "kith:bench", Namespace: operatorNamespace, ServiceAccount: "kith-operator", AccessMode: corev1.ReadWriteOncePod},
		Log:         log,
		LeaderElect: true, Catalogue: app.Catalogue(), Rules: monitoring.Rules().PrometheusRule,
		Poll: &hubpoll.Options{
			Token: func() (string, error) { return "no hub of this measurement asks for one", nil },
			URL: func(key types.NamespacedName) string {
				return setup.Hubs[key.String()]
			},
			Roots: func() ([]byte, error) {
				if setup.Roots == "" {
					return nil, errors.New("no roots")
				}
				return []byte(setup.Roots), nil
			},
		},
	})
	if err != nil {
		return fmt.Errorf("make the operator: %w", err)
	}
	return op.Manager.Start(ctx)
}
