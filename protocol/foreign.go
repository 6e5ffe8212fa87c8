package protocol

import "bytes"

// Foreign names another protocol that a connection's first bytes belong to,
// "HTTP" or "TLS", or returns "": somebody took the wrong port.
func Foreign(first []byte) string {
	if len(first) >= 3 && first[0] == 0x16 && first[1] == 0x03 && first[2] <= 0x04 {
		return "TLS"
	}
	for _, method := range httpMethods {
		if bytes.HasPrefix(first, method) {
			return "HTTP"
		}
	}
	return ""
}

// httpMethods are beginnings of requests that no admin command can have: each
// goes on with a path.
var httpMethods = [][]byte{
	[]byte("GET /"), []byte("HEAD /"), []byte("POST /"), []byte("PUT /"),
	[]byte("DELETE /"), []byte("OPTIONS "), []byte("CONNECT "), []byte("PATCH /"),
}
