// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package sdk

import (
	"net/url"
	"regexp"
	"strings"
	"unicode/utf8"
)

// scrubbed stands where a secret stood.
const scrubbed = "[hidden]"

// maxErrorBody bounds Error.Body.
const maxErrorBody = 2 << 10

// secretKeys are names of query parameters and JSON fields whose values are never shown.
var secretKeys = regexp.MustCompile(`(?i)^(.*[_-])?(token|key|apikey|api[_-]key|access[_-]token|secret|signature|sig|password|passwd|pwd|auth|authorization|code|session|sid)$`)

var (
	// secretPair finds key=value in URLs and texts; secretField finds "key":"value" in JSON.
	secretPair  = regexp.MustCompile(`(?i)\b((?:[a-z0-9]+[_-])*(?:token|key|apikey|secret|signature|sig|password|passwd|pwd|auth|session|sid)=)[^&\s"'<>]+`)
	secretField = regexp.MustCompile(`(?i)("(?:[a-z0-9]+[_-])*(?:token|key|apikey|secret|signature|password|passwd|authorization|session)"\s*:\s*")[^"]*`)
	userInfo    = regexp.MustCompile(`(?i)(\b[a-z][a-z0-9+.-]*://)[^/\s"'<>@]+@`)
	bearer      = regexp.MustCompile(`(?i)\b(bearer|basic|bot)\s+[a-z0-9._~+/=-]{8,}`)
	// telegramPath: a bot's token is part of the path.
	telegramPath = regexp.MustCompile(`/bot\d+:[A-Za-z0-9_-]+`)
)

// ScrubURL gives an address without userinfo and without the values of parameters that may be secret.
func ScrubURL(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ScrubText(address)
	}
	if u.User != nil {
		u.User = nil
	}
	pairs := strings.Split(u.RawQuery, "&")
	for i, p := range pairs {
		k, _, ok := strings.Cut(p, "=")
		name, err := url.QueryUnescape(k)
		if ok && (err != nil || secretKeys.MatchString(name)) {
			pairs[i] = k + "=" + scrubbed
		}
	}
	u.RawQuery = strings.Join(pairs, "&")
	return telegramPath.ReplaceAllString(u.String(), "/bot"+scrubbed)
}

// ScrubText takes secrets out of a text that may quote addresses, headers or JSON.
func ScrubText(s string) string {
	s = userInfo.ReplaceAllString(s, "${1}")
	s = secretPair.ReplaceAllString(s, "${1}"+scrubbed)
	s = secretField.ReplaceAllString(s, "${1}"+scrubbed)
	s = bearer.ReplaceAllString(s, "${1} "+scrubbed)
	return telegramPath.ReplaceAllString(s, "/bot"+scrubbed)
}

func scrubValues(s string, secrets []string) string {
	for _, v := range secrets {
		if len(v) >= 4 {
			s = strings.ReplaceAll(s, v, scrubbed)
			s = strings.ReplaceAll(s, url.QueryEscape(v), scrubbed)
		}
	}
	return ScrubText(s)
}

// scrubBody scrubs what a platform said and cuts it.
func scrubBody(b []byte, secrets []string) string {
	// Cut with room to spare first, so that a secret across the final cut is still found whole.
	s := scrubValues(strings.ToValidUTF8(string(b[:min(len(b), 4*maxErrorBody)]), "\uFFFD"), secrets)
	if len(s) <= maxErrorBody {
		return s
	}
	n := maxErrorBody
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// scrubbedError shows a scrubbed text and keeps the cause for errors.Is and As.
type scrubbedError struct {
	text  string
	cause error
}

func (e *scrubbedError) Error() string { return e.text }
func (e *scrubbedError) Unwrap() error { return e.cause }

// scrubError gives an error whose text is safe. The address in a *url.Error is dropped: the caller names it.
func scrubError(err error, secrets []string) error {
	cause := err
	for {
		u, ok := cause.(*url.Error) //nolint:errorlint // Only the outermost layers are taken off.
		if !ok {
			break
		}
		cause = u.Err
	}
	return &scrubbedError{text: scrubValues(cause.Error(), secrets), cause: cause}
}
