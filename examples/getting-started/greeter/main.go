// Greets whoever asks.
package main

import (
	"fmt"
	"log"
	"net/http"
	"os"
)

const greeting = "hello from the greeter"

func main() {
	port := os.Getenv("PORT")
	if port == "" {
		port = "8081"
	}
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, greeting) })
	log.Fatal(http.ListenAndServe(":"+port, nil))
}
