// Package live tells open pages that something changed, as it happens: a hub of server-sent event streams
// and the script that reads them. The widget and the desk both use it. Pages that wait for nothing, such
// as the portal's, do without.
//
// A stream is one response of one browser: its tabs share it (live.js). It listens to topics, which are
// the owner's names for what may change; the owner also decides who may listen, what is written, and how
// many streams there may be. Here is what all streams have in common: they are woken by topic, kept alive
// by heartbeats, end when their reader may no longer read, is gone or does not read on, and end with the
// service. Then the script connects again, after the time it was told; where no stream gets through, it
// polls.
package live

import "embed"

// Files holds live.js.
//
//go:embed live.js
var Files embed.FS
