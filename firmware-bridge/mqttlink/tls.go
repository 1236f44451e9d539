package mqttlink

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"

	"github.com/mitori-robotics/mitori/models/infile"
)

// TLSFiles name what a broker is believed by, and what this robot proves itself with. All are PEM.
type TLSFiles struct {
	CA   string // certificates that sign brokers' instead of the system's; "": the system's
	Cert string // this robot's certificate, with those between it and its CA; "": none
	Key  string // of Cert
}

// maxPEM bounds each file.
const maxPEM = 1 << 20

// Config reads the files; nil where there are none. Errors name the file.
func (f TLSFiles) Config() (*tls.Config, error) {
	if f == (TLSFiles{}) {
		return nil, nil
	}
	cfg := &tls.Config{MinVersion: tls.VersionTLS12}
	if f.CA != "" {
		text, err := infile.Read(f.CA, maxPEM)
		if err != nil {
			return nil, fmt.Errorf("ca_file: %w", err)
		}
		cfg.RootCAs = x509.NewCertPool()
		if !cfg.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("ca_file: %s has no certificate; legal: certificates in PEM", f.CA)
		}
	}
	if f.Cert == "" && f.Key == "" {
		return cfg, nil
	}
	cert, err := infile.Read(f.Cert, maxPEM)
	if err != nil {
		return nil, fmt.Errorf("cert_file: %w", err)
	}
	key, err := infile.Read(f.Key, maxPEM)
	if err != nil {
		return nil, fmt.Errorf("key_file: %w", err)
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil { // says what is wrong with which, and never what is in them
		return nil, fmt.Errorf("cert_file %s and key_file %s: %w; legal: a certificate in PEM and its own key", f.Cert, f.Key, err)
	}
	cfg.Certificates = []tls.Certificate{pair}
	return cfg, nil
}

// explainTLS says what to do about a certificate that is not believed; nil where why is something else.
func explainTLS(why error) error {
	var nobody x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	var alert *net.OpError
	var record tls.RecordHeaderError
	switch {
	case errors.As(why, &nobody):
		return fmt.Errorf("the broker's certificate is signed by nobody who is believed (%w); give the CA's certificate as mqtt.ca_file", nobody)
	case errors.As(why, &name):
		return fmt.Errorf("the broker's certificate is for another name (%w); put the name that is in it into mqtt.url", name)
	case errors.As(why, &invalid) && invalid.Reason == x509.Expired:
		return fmt.Errorf("the broker's certificate is not valid at this time (%w); renew it, or set this machine's clock", invalid)
	case errors.As(why, &invalid):
		return fmt.Errorf("the broker's certificate is not fit for a broker (%w)", invalid)
	case errors.As(why, &alert) && alert.Op == "remote error": // what crypto/tls calls an alert of the other side
		return fmt.Errorf("the broker refuses this robot's certificate, or misses one (%w); see mqtt.cert_file and mqtt.key_file", alert)
	case errors.As(why, &record):
		return fmt.Errorf("the broker speaks no TLS at this port (%w); mqtt:// is without", record)
	}
	return nil
}
