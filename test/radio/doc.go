// Package radio runs the real program on machines that have nothing but a Wi-Fi radio: network namespaces in a virtual machine
// with Debian's kernel and its simulated radios (mac80211_hwsim), Debian's wpa_supplicant and NetworkManager, and real D-Bus.
// The virtual machines are emulated in software, so that they run wherever QEMU does, and their clock counts instructions: what
// a case is given, and what it says it took, is by that clock, in which the processor is always the same.
//
// What it proves: that longear drives wpa_supplicant rightly, with and without D-Bus; that groups form, fill, end and are
// taken over by the protocol that real radios speak; that nodes find each other and exchange messages in them; and that
// every failure it causes is named and recovered from. What only real radios can prove: range, interference, power, what a chip's
// firmware makes of all this, how many clients it really takes, and whether a phone's dialogs stay away.
package radio
