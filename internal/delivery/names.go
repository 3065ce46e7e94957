// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package delivery

import "fmt"

// Labels and annotations. The names of communities and channels have at most 52 characters (their schemas), so that
// every name below stays within the 63 of a label.
const (
	LabelName      = "app.kubernetes.io/name"
	LabelComponent = "app.kubernetes.io/component"
	LabelManagedBy = "app.kubernetes.io/managed-by"
	LabelCommunity = "kith.dev/community"
	LabelChannel   = "kith.dev/channel"

	// AppName is the value of LabelName; ManagedBy that of LabelManagedBy, and the field owner of what is applied.
	AppName   = "kith"
	ManagedBy = "kith-operator"

	ComponentOperator  = "operator"
	ComponentHub       = "hub"
	ComponentConnector = "connector"

	// AnnotationReconcile is changed by people who want a resource to be looked at again now.
	AnnotationReconcile = "kith.dev/reconcile-requested"
	// AnnotationAcceptLedger on a Community names the ledger that may take the place of the one known so far.
	AnnotationAcceptLedger = "kith.dev/accept-ledger"
)

// HubName is the name of a community's hub: its Deployment, Service and ServiceAccount.
func HubName(community string) string { return community + "-hub" }

// ConnectorName is the name of a channel's connector: its Deployment and ServiceAccount.
func ConnectorName(channel string) string { return channel + "-connector" }

// SharedConnectorsName is the name of the one connector Deployment and ServiceAccount of a community with
// placement Shared.
func SharedConnectorsName(community string) string { return community + "-connectors" }

// LedgerName is the name of the PersistentVolumeClaim of a community's ledger.
func LedgerName(community string) string { return community + "-ledger" }

// HubTLSName is the name of the Secret with the certificate of a community's hub (type kubernetes.io/tls).
func HubTLSName(community string) string { return community + "-hub-tls" }

// ConfigName is the name of a ConfigMap with a community's configuration: part 0 always exists, parts up to
// MaxParts-1 only where the configuration needs them.
func ConfigName(community string, part int) string {
	if part == 0 {
		return community + "-blueprint"
	}
	return fmt.Sprintf("%s-blueprint-%d", community, part)
}

// HubHost is the DNS name under which a hub is reached within the cluster, and that its certificate is for.
func HubHost(namespace, community string) string {
	return fmt.Sprintf("%s.%s.svc", HubName(community), namespace)
}

// HubURL is the address of a hub's API.
func HubURL(namespace, community string) string {
	return fmt.Sprintf("https://%s:%d", HubHost(namespace, community), PortAPI)
}

// Audience is what the tokens of a community's connectors are for: no other hub takes them.
func Audience(namespace, community string) string {
	return "kith.dev/hub/" + namespace + "/" + community
}

// AudienceStatus is what the operator's own token is for: hubs let it read their status, and nothing else.
const AudienceStatus = "kith.dev/status"

// Ports of hubs and connectors. PortAPI is HTTPS with tokens; PortMetrics is plain HTTP with /metrics, /healthz and
// /readyz, and on hubs /metrics/community.
const (
	PortAPI     = 8443
	PortMetrics = 8080

	PortNameAPI     = "api"
	PortNameMetrics = "metrics"
)

// Where things are mounted in the pods of hubs and connectors.
const (
	// DirConfig holds the files of this package.
	DirConfig = "/etc/kith/config"
	// DirSecrets holds SECRET/KEY for each Secret that a channel or a community names.
	DirSecrets = "/etc/kith/secrets" //nolint:gosec // A folder, not a secret.
	// DirTLS holds tls.crt and tls.key of a hub.
	DirTLS = "/etc/kith/tls"
	// DirToken holds the token (FileToken) that a connector presents to its hub.
	DirToken  = "/var/run/secrets/kith.dev/hub" //nolint:gosec // Likewise.
	FileToken = "token"
	// DirData holds the ledger of a hub.
	DirData = "/var/lib/kith"
)
