// Upstream's webhook server of the end-to-end tests, which runs in a container there, as a program.
package main

import (
	"os"

	"k8s.io/kubernetes/test/images/agnhost/webhook"
)

func main() {
	webhook.CmdWebhook.SetArgs(os.Args[1:])
	if webhook.CmdWebhook.Execute() != nil {
		os.Exit(1)
	}
}
