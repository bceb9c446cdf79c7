// A kubelet as far as an API server connects to it: exec, attach and port-forward with Kubernetes' own streaming server,
// whose containers are processes of this machine; logs that tell what was asked; everything else told as it came. Beside it
// a server without TLS that stands for one in a pod.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"time"

	"k8s.io/cri-streaming/pkg/streaming/portforward"
	"k8s.io/cri-streaming/pkg/streaming/remotecommand"
	utilexec "k8s.io/utils/exec"
)

const idle, creation = time.Hour, 30 * time.Second

type containers struct{}

func (containers) ExecInContainer(ctx context.Context, pod, uid, container string, words []string, in io.Reader, out, err io.WriteCloser, tty bool, sizes <-chan remotecommand.TerminalSize, _ time.Duration) error {
	if words[0] == "sizes" {
		for size := range sizes {
			fmt.Fprintf(out, "%dx%d\n", size.Width, size.Height)
			return nil
		}
		return nil
	}
	if words[0] == "broken" {
		return fmt.Errorf("no such container")
	}
	command := exec.CommandContext(ctx, words[0], words[1:]...)
	command.Env = append(os.Environ(), "POD="+pod, "CONTAINER="+container)
	if out != nil {
		command.Stdout = out
	}
	if err != nil {
		command.Stderr = err
	} else if tty {
		command.Stderr = out
	}
	if in != nil {
		pipe, failed := command.StdinPipe()
		if failed != nil {
			return failed
		}
		go func() {
			io.Copy(pipe, in)
			pipe.Close()
		}()
	}
	failed := command.Run()
	if exit, ok := failed.(*exec.ExitError); ok {
		return utilexec.CodeExitError{Err: failed, Code: exit.ExitCode()}
	}
	return failed
}

func (containers) AttachContainer(_ context.Context, pod, uid, container string, in io.Reader, out, err io.WriteCloser, tty bool, _ <-chan remotecommand.TerminalSize) error {
	fmt.Fprintf(out, "attached to %s/%s\n", pod, container)
	if in != nil {
		io.Copy(out, in)
	}
	return nil
}

func (containers) PortForward(_ context.Context, pod, uid string, port int32, stream io.ReadWriteCloser) error {
	connection, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return err
	}
	defer connection.Close()
	done := make(chan struct{}, 2)
	go func() {
		io.Copy(connection, stream)
		connection.(*net.TCPConn).CloseWrite()
		done <- struct{}{}
	}()
	go func() {
		io.Copy(stream, connection)
		stream.Close()
		done <- struct{}{}
	}()
	<-done
	<-done
	return nil
}

func main() {
	cert := flag.String("cert", "", "certificate")
	key := flag.String("key", "", "its key")
	authority := flag.String("client-ca", "", "authority of those who may ask; empty: nobody is asked")
	address := flag.String("address", "127.0.0.1", "where to listen")
	flag.Parse()
	pair, err := tls.LoadX509KeyPair(*cert, *key)
	fatal(err)
	config := &tls.Config{Certificates: []tls.Certificate{pair}}
	if *authority != "" {
		text, err := os.ReadFile(*authority)
		fatal(err)
		config.ClientCAs = x509.NewCertPool()
		config.ClientCAs.AppendCertsFromPEM(text)
		config.ClientAuth = tls.RequestClientCert
	}
	listener, err := tls.Listen("tcp", *address+":0", config)
	fatal(err)
	plain, err := net.Listen("tcp", *address+":0")
	fatal(err)
	go func() { fatal(http.Serve(plain, http.HandlerFunc(page))) }()
	fmt.Printf("%d %d\n", listener.Addr().(*net.TCPAddr).Port, plain.Addr().(*net.TCPAddr).Port)
	go func() {
		io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	fatal(http.Serve(listener, known(config, http.HandlerFunc(serve))))
}

// Whoever shows no certificate of the authority is answered as a kubelet answers.
func known(config *tls.Config, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if config.ClientCAs != nil {
			shown := r.TLS.PeerCertificates
			options := x509.VerifyOptions{Roots: config.ClientCAs, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
			if len(shown) == 0 {
				http.Error(w, "Unauthorized", http.StatusUnauthorized)
				return
			}
			if _, err := shown[0].Verify(options); err != nil {
				http.Error(w, "Unauthorized", http.StatusUnauthorized)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

func serve(w http.ResponseWriter, r *http.Request) {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	switch parts[0] {
	case "exec", "attach":
		options, err := remotecommand.NewOptions(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		pod, container := parts[2], parts[3]
		if pod == "gone" {
			http.Error(w, "pod does not exist", http.StatusNotFound)
			return
		}
		if parts[0] == "exec" {
			remotecommand.ServeExec(w, r, containers{}, pod, "", container, r.URL.Query()["command"], options, idle, creation, remotecommand.SupportedStreamingProtocols)
		} else {
			remotecommand.ServeAttach(w, r, containers{}, pod, "", container, options, idle, creation, remotecommand.SupportedStreamingProtocols)
		}
	case "portForward":
		options, err := portforward.NewV4Options(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		portforward.ServePortForward(w, r, containers{}, parts[2], "", options, idle, creation, portforward.SupportedProtocols)
	case "containerLogs":
		logs(w, r, parts)
	default:
		page(w, r)
	}
}

// Containers by name whose logs do not end, and how long they pause after a line.
var endless = map[string]time.Duration{"slow": 20 * time.Millisecond, "flood": 0}

// Logs that are being read and do not end, and bytes of all of them.
var opened, written atomic.Int64

func logs(w http.ResponseWriter, r *http.Request, parts []string) {
	query := r.URL.Query()
	if query.Get("previous") == "true" {
		http.Error(w, fmt.Sprintf("previous terminated container %q in pod %q not found", parts[3], parts[2]), http.StatusBadRequest)
		return
	}
	if query.Get("tailLines") == "404" {
		http.Error(w, "pod does not exist", http.StatusNotFound)
		return
	}
	if query.Get("tailLines") == "500" {
		http.Error(w, "the runtime is not there", http.StatusInternalServerError)
		return
	}
	fmt.Fprintf(w, "%s?%s\n", r.URL.Path, r.URL.RawQuery)
	if pause, ok := endless[parts[3]]; ok {
		opened.Add(1)
		defer opened.Add(-1)
		line := strings.Repeat("x", 1023) + "\n"
		for r.Context().Err() == nil {
			n, err := io.WriteString(w, line)
			written.Add(int64(n))
			if err != nil {
				return
			}
			if pause > 0 {
				w.(http.Flusher).Flush()
				time.Sleep(pause)
			}
		}
		return
	}
	if query.Get("follow") == "true" {
		for i := range 3 {
			w.(http.Flusher).Flush()
			time.Sleep(100 * time.Millisecond)
			fmt.Fprintf(w, "line %d\n", i)
		}
	}
}

type told struct {
	Method  string              `json:"method"`
	URI     string              `json:"uri"`
	Host    string              `json:"host"`
	Headers map[string][]string `json:"headers"`
	Body    string              `json:"body"`
}

func page(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	if r.URL.Path == "/logs-read" {
		fmt.Fprintf(w, `{"open":%d,"written":%d}`, opened.Load(), written.Load())
		return
	}
	if strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
		connection, buffered, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		fmt.Fprintf(connection, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nX-Uri: %s\r\n\r\n", r.RequestURI)
		io.Copy(connection, buffered)
		connection.Close()
		return
	}
	w.Header().Set("Access-Control-Allow-Origin", "*")
	if to := query.Get("to"); to != "" {
		w.Header().Set("Location", to)
		w.WriteHeader(http.StatusFound)
		return
	}
	if text := query.Get("html"); text != "" {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		io.WriteString(w, text)
		return
	}
	body, _ := io.ReadAll(r.Body)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Page", "told")
	if query.Get("status") == "418" {
		w.WriteHeader(http.StatusTeapot)
	}
	json.NewEncoder(w).Encode(told{r.Method, r.RequestURI, r.Host, r.Header, string(body)})
}

func fatal(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
