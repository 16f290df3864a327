// Package guests puts phones with nothing installed around the real program as a hub: Linux network namespaces on a bridge, which
// stands for the access point's radio. They get their addresses from the hub, look for the internet as their makers had them do, open
// the page in a real browser, and meet hostile ones.
//
// It needs root and iproute2, and for single tests udhcpc, chromium, node and npm. Without them the tests skip and say what is
// missing, except where CI=true: there a rig that cannot work is a failure. Nothing in it can leave the namespaces: there is no way out
// but to the hub, which has none.
package guests
