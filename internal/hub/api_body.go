// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package hub

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/kith-dev/kith/internal/hub/wire"
)

// apiError is what a caller is told.
type apiError struct {
	status     int
	message    string
	retryAfter int // seconds; 0: none
	conflict   *wire.Conflict
}

// Error implements error.
func (e *apiError) Error() string { return e.message }

func refuse(status int, format string, args ...any) error {
	return &apiError{status: status, message: fmt.Sprintf(format, args...)}
}

// readJSON reads a bounded JSON body strictly.
func readJSON(w http.ResponseWriter, r *http.Request, limit int64, into any) error {
	body, _, err := readBody(w, r, limit, "application/json")
	if err != nil {
		return err
	}
	if err := wire.Decode(body, into); err != nil {
		return refuse(http.StatusBadRequest, "the body cannot be read: %v", err)
	}
	return nil
}

// readBody reads a body of one of the given types, unpacking gzip; neither the packed nor the unpacked form may exceed
// the limit.
func readBody(w http.ResponseWriter, r *http.Request, limit int64, types ...string) (body []byte, mediaType string, err error) {
	if mediaType, err = checkType(r.Header.Get("Content-Type"), types); err != nil {
		return nil, "", err
	}
	if r.ContentLength > limit {
		return nil, "", tooLarge(limit)
	}
	src := io.Reader(http.MaxBytesReader(w, r.Body, limit))
	switch encoding := strings.ToLower(r.Header.Get("Content-Encoding")); encoding {
	case "", "identity":
	case "gzip":
		z, err := gzip.NewReader(src)
		if err != nil {
			return nil, "", bodyError(err, limit)
		}
		defer func() { _ = z.Close() }() // a broken checksum shows in Read
		src = z
	default:
		return nil, "", refuse(http.StatusUnsupportedMediaType, "Content-Encoding may be gzip or absent")
	}
	body, err = io.ReadAll(io.LimitReader(src, limit+1))
	if err != nil {
		return nil, "", bodyError(err, limit)
	}
	if int64(len(body)) > limit {
		return nil, "", tooLarge(limit)
	}
	return body, mediaType, nil
}

func checkType(header string, types []string) (string, error) {
	mediaType, params, err := mime.ParseMediaType(header)
	if err == nil {
		if charset := params["charset"]; charset != "" && !strings.EqualFold(charset, "utf-8") {
			return "", refuse(http.StatusUnsupportedMediaType, "the body has to be UTF-8")
		}
		for _, t := range types {
			if mediaType == t {
				return t, nil
			}
		}
	}
	return "", refuse(http.StatusUnsupportedMediaType, "Content-Type has to be %s", strings.Join(types, " or "))
}

func tooLarge(limit int64) error {
	return refuse(http.StatusRequestEntityTooLarge, "the body may have %d bytes, also after unpacking: send less at a time", limit)
}

func bodyError(err error, limit int64) error {
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return tooLarge(limit)
	}
	return refuse(http.StatusBadRequest, "the body ended early or is not packed as its header says")
}
