// Package hotspot makes a network interface the place where phones find a hub: it has the hubs' address, gives phones
// theirs (DHCP), resolves every name to itself (DNS) and answers where phones look for the internet (port 80) and where the page is.
//
// It serves one interface and nothing else: each socket is bound to it, so that a machine that is a hub at one side is no server of
// names or addresses at another. It makes no radio, no firewall rule, no route and no router advertisement, and forwards nothing. What
// it changes, the interface's address, it undoes.
//
// No internet is behind it, and every answer says so in the way that keeps phones: see offer.go for what they are told and why.
package hotspot
