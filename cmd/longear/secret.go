package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"longear/node/api"
)

// maxSecret bounds what is read as a passphrase or a key.
const maxSecret = 4096

// readSecret reads a secret from a file ("-" is standard input), its last line break taken off. Secrets are never
// arguments: those can be read by every user of the machine.
func (a *app) readSecret(file string) (string, error) {
	in := a.in
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return "", api.Fail(api.Usage, "the secret cannot be read: "+err.Error(), "")
		}
		defer f.Close()
		in = f
	}
	b, err := io.ReadAll(io.LimitReader(in, maxSecret+1))
	if err != nil {
		return "", fmt.Errorf("read secret: %w", err)
	}
	s := strings.TrimRight(string(b), "\r\n")
	if len(b) > maxSecret || s == "" {
		return "", api.Fail(api.Usage, fmt.Sprintf("the secret in %s is empty or longer than %d bytes", file, maxSecret), "")
	}
	return s, nil
}

// askSecret asks a person at a terminal for a secret, twice if it is a new one.
func (a *app) askSecret(what string, isNew bool) (string, error) {
	tty, ok := a.in.(*os.File)
	if !ok || !isTerminal(tty) {
		return "", api.Fail(api.Usage, "a "+what+" is needed and there is no terminal to ask at", "give it in a file with --passphrase-file")
	}
	first, err := a.askOnce(tty, what+": ")
	if err != nil || !isNew {
		return first, err
	}
	second, err := a.askOnce(tty, "the same again: ")
	if err != nil {
		return "", err
	}
	if first != second {
		return "", api.Fail(api.Usage, "the two differ", "try again")
	}
	return first, nil
}

func (a *app) askOnce(tty *os.File, prompt string) (string, error) {
	fmt.Fprint(a.err, prompt)
	defer fmt.Fprintln(a.err)
	var line string
	err := withoutEcho(tty, func() (err error) {
		line, err = bufio.NewReader(io.LimitReader(tty, maxSecret)).ReadString('\n')
		return err
	})
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read %s: %w", strings.TrimSuffix(prompt, ": "), err)
	}
	if line = strings.TrimRight(line, "\r\n"); line == "" {
		return "", api.Fail(api.Usage, "nothing was typed", "")
	}
	return line, nil
}
