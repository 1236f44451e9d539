package mqttlink

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// authority is a CA that lives as long as a test.
type authority struct {
	t    *testing.T
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	file string
}

func newAuthority(t *testing.T, name string) *authority {
	t.Helper()
	a := &authority{t: t, dir: t.TempDir()}
	a.key = newKey(t)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &a.key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	a.file = a.write(name+".pem", "CERTIFICATE", der)
	return a
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func (a *authority) write(name, kind string, der []byte) string {
	a.t.Helper()
	path := filepath.Join(a.dir, name)
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		a.t.Fatal(err)
	}
	return path
}

// issue signs a certificate and returns its files.
func (a *authority) issue(name string, change func(*x509.Certificate)) (cert, key string) {
	a.t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
	if change != nil {
		change(template)
	}
	own := newKey(a.t)
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &own.PublicKey, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(own)
	if err != nil {
		a.t.Fatal(err)
	}
	return a.write(name+".pem", "CERTIFICATE", der), a.write(name+".key", "PRIVATE KEY", raw)
}

// guarded is a broker with a certificate, which asks robots for theirs where clients is not nil.
func guarded(t *testing.T, cert, key string, clients *authority) *Broker {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	cfg := &tls.Config{Certificates: []tls.Certificate{pair}}
	if clients != nil {
		cfg.ClientCAs, cfg.ClientAuth = x509.NewCertPool(), tls.RequireAndVerifyClientCert
		cfg.ClientCAs.AddCert(clients.cert)
	}
	return startBroker(t, func(c *BrokerConfig) { c.TLS = cfg })
}

// A robot believes brokers whom its CA has signed, and no others; what is wrong is said in a sentence that names the
// key to look at. Brokers may ask the same of robots.
func TestPrivateCertificates(t *testing.T) {
	ours, theirs := newAuthority(t, "ours"), newAuthority(t, "theirs")
	cert, key := ours.issue("broker", nil)
	mine, mineKey := ours.issue("robot", nil)
	alien, alienKey := theirs.issue("robot", nil)
	plain, mutual := guarded(t, cert, key, nil), guarded(t, cert, key, ours)
	oldCert, oldKey := ours.issue("old", func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Hour) })
	otherCert, otherKey := ours.issue("other", func(c *x509.Certificate) {
		c.IPAddresses, c.DNSNames = nil, []string{"broker.example"}
	})
	for _, c := range []struct {
		name  string
		b     *Broker
		files TLSFiles
		says  []string // none: connected
	}{
		{"signed by ours", plain, TLSFiles{CA: ours.file}, nil},
		{"both signed by ours", mutual, TLSFiles{ours.file, mine, mineKey}, nil},
		{"signed by nobody known", plain, TLSFiles{CA: theirs.file}, []string{"signed by nobody who is believed", "mqtt.ca_file"}},
		{"signed by nobody the system knows", plain, TLSFiles{}, []string{"signed by nobody who is believed", "mqtt.ca_file"}},
		{"expired", guarded(t, oldCert, oldKey, nil), TLSFiles{CA: ours.file}, []string{"not valid at this time", "clock"}},
		{"of another name", guarded(t, otherCert, otherKey, nil), TLSFiles{CA: ours.file}, []string{"for another name", "127.0.0.1", "mqtt.url"}},
		{"robot without a certificate", mutual, TLSFiles{CA: ours.file}, []string{"refuses this robot's certificate, or misses one", "mqtt.cert_file"}},
		{"robot with an alien certificate", mutual, TLSFiles{ours.file, alien, alienKey}, []string{"refuses this robot's certificate", "mqtt.key_file"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			news := make(chan error, 16)
			cfg := robotConfig(c.b.URL(), c.b.Robot(), func(Command) error { return nil })
			cfg.OnLink = func(up bool, why error) {
				if up {
					why = nil
				}
				news <- why
			}
			var err error
			if cfg.TLS, err = c.files.Config(); err != nil {
				t.Fatal(err)
			}
			startLink(t, cfg)
			var why error
			select {
			case why = <-news:
			case <-time.After(patience):
				t.Fatal("no news of the link")
			}
			if (why == nil) != (len(c.says) == 0) {
				t.Fatalf("%v", why)
			}
			for _, want := range c.says {
				if !strings.Contains(why.Error(), want) {
					t.Errorf("%v; want %q in it", why, want)
				}
			}
			if why != nil && strings.Contains(why.Error(), c.b.Robot().Password) {
				t.Error("the password is in it")
			}
		})
	}
}

// TLS at a port where nobody speaks it.
func TestNoTLSThere(t *testing.T) {
	b := startBroker(t, nil)
	why := make(chan error, 16)
	cfg := robotConfig(strings.Replace(b.URL(), "tcp://", "mqtts://", 1), b.Robot(), func(Command) error { return nil })
	cfg.OnLink = func(_ bool, err error) { why <- err }
	startLink(t, cfg)
	select {
	case err := <-why:
		if err == nil || strings.Contains(err.Error(), b.Robot().Password) {
			t.Errorf("%v", err)
		}
	case <-time.After(patience):
		t.Fatal("no news of the link")
	}
}

// Files that are missing, empty, or do not belong together are named before anything is sent; keys are never shown.
func TestTLSFiles(t *testing.T) {
	a := newAuthority(t, "ca")
	cert, key := a.issue("robot", nil)
	_, other := a.issue("other", nil)
	none, text := filepath.Join(a.dir, "none"), filepath.Join(a.dir, "text")
	if err := os.WriteFile(text, []byte("hunter2"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		files TLSFiles
		says  string // "": good
	}{
		{TLSFiles{a.file, cert, key}, ""}, {TLSFiles{CA: a.file}, ""}, {TLSFiles{Cert: cert, Key: key}, ""},
		{TLSFiles{CA: none}, "ca_file: "}, {TLSFiles{CA: text}, text + " has no certificate; legal:"}, {TLSFiles{CA: key}, "has no certificate"},
		{TLSFiles{Cert: none, Key: key}, "cert_file: "}, {TLSFiles{Cert: cert, Key: none}, "key_file: "},
		{TLSFiles{Cert: cert, Key: other}, "legal: a certificate in PEM and its own key"}, {TLSFiles{Cert: text, Key: text}, "cert_file " + text},
		{TLSFiles{Cert: cert}, "key_file: "},
	} {
		cfg, err := c.files.Config()
		if c.says == "" {
			if err != nil || cfg == nil || cfg.InsecureSkipVerify || cfg.MinVersion < tls.VersionTLS12 {
				t.Errorf("%+v: %v", c.files, err)
			}
		} else if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%+v: %v", c.files, err)
		}
	}
	if cfg, err := (TLSFiles{}).Config(); cfg != nil || err != nil {
		t.Errorf("%v, %v", cfg, err)
	}
}
