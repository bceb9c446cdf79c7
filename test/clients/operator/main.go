package main

import (
	_ "sigs.k8s.io/controller-runtime"
	_ "k8s.io/client-go/kubernetes"
	_ "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

func main() {}
