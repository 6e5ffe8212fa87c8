package clients_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"strings"
	"time"

	"gearbolt/clients"
)

// A worker that serves "upper", and a client that calls it.
func Example() {
	server := clients.StartFake() // stands for a job server
	defer server.Close()
	config := clients.Config{Servers: []string{server.Addr().String()}}

	worker, err := clients.NewWorker(config, 4)
	if err != nil {
		log.Fatal(err)
	}
	worker.Handle("upper", func(_ context.Context, job *clients.Job) ([]byte, error) {
		return []byte(strings.ToUpper(string(job.Payload))), nil
	})
	if err := worker.Start(); err != nil {
		log.Fatal(err)
	}
	defer worker.Close()

	client, err := clients.NewClient(config)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	result, err := client.Call(ctx, "upper", []byte("hello"))
	fmt.Println(string(result), err)
	// Output: HELLO <nil>
}

// serve starts a worker that the examples call, and a client.
func serve(handle func(*clients.Worker)) (client *clients.Client, stop func()) {
	server := clients.StartFake()
	config := clients.Config{Servers: []string{server.Addr().String()}}
	worker, err := clients.NewWorker(config, 4)
	if err != nil {
		log.Fatal(err)
	}
	handle(worker)
	if err := worker.Start(); err != nil {
		log.Fatal(err)
	}
	if client, err = clients.NewClient(config); err != nil {
		log.Fatal(err)
	}
	return client, func() { client.Close(); worker.Close(); server.Close() }
}

type Order struct {
	Item  string
	Count int
}

type Price struct{ Cents int }

// Quote is declared once and used by callers and workers.
var Quote = clients.Function[Order, Price]{Name: "quote"}

// Values instead of bytes.
func ExampleFunction() {
	client, stop := serve(func(w *clients.Worker) {
		Quote.Handle(w, func(_ context.Context, _ *clients.Job, o Order) (Price, error) {
			return Price{Cents: 250 * o.Count}, nil
		})
	})
	defer stop()
	price, err := Quote.Call(context.Background(), client, Order{Item: "bolt", Count: 3})
	fmt.Println(price.Cents, err)
	// Output: 750 <nil>
}

// What a function says while it works.
func ExampleClient_Stream() {
	client, stop := serve(func(w *clients.Worker) {
		w.Handle("count", func(_ context.Context, job *clients.Job) ([]byte, error) {
			job.Progress(1, 2)
			job.Data([]byte("one"))
			return []byte("two"), nil
		})
	})
	defer stop()
	for event, err := range client.Stream(context.Background(), "count", nil) {
		switch {
		case err != nil:
			fmt.Println("failed:", err)
		case event.Kind == clients.Progress:
			fmt.Println(event.Numerator, "of", event.Denominator)
		case event.Kind == clients.Data, event.Kind == clients.Complete:
			fmt.Println(string(event.Data))
		}
	}
	// Output:
	// 1 of 2
	// one
	// two
}

// How a function fails, and what its caller sees.
func ExampleException() {
	client, stop := serve(func(w *clients.Worker) {
		w.Handle("open", func(_ context.Context, job *clients.Job) ([]byte, error) {
			return nil, fmt.Errorf("no file %q", job.Payload)
		})
	})
	defer stop()
	_, err := client.Call(context.Background(), "open", []byte("x.txt"))
	var exception *clients.Exception
	if errors.As(err, &exception) {
		fmt.Printf("%s\n", exception.Data)
	}
	// Output: no file "x.txt"
}

// Middleware takes a handler and returns one.
func ExampleHandler() {
	logged := func(next clients.Handler) clients.Handler {
		return func(ctx context.Context, job *clients.Job) ([]byte, error) {
			fmt.Println("begin", job.Function)
			defer fmt.Println("end", job.Function)
			return next(ctx, job)
		}
	}
	client, stop := serve(func(w *clients.Worker) {
		w.Handle("noop", logged(func(context.Context, *clients.Job) ([]byte, error) { return nil, nil }))
	})
	client.Call(context.Background(), "noop", nil)
	stop()
	// Output:
	// begin noop
	// end noop
}

// To send again what may have been lost, where that does no harm.
func ExampleRetry() {
	client, stop := serve(func(w *clients.Worker) {
		w.Handle("rebuild", func(context.Context, *clients.Job) ([]byte, error) { return []byte("done"), nil })
	})
	defer stop()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	result, err := client.Call(ctx, "rebuild", []byte("index"), clients.Unique("index"), clients.Retry(3), clients.WaitForServer())
	switch {
	case errors.Is(err, clients.ErrLost):
		fmt.Println("four connections were lost")
	case errors.Is(err, context.DeadlineExceeded):
		fmt.Println("a minute was not enough")
	default:
		fmt.Println(string(result), err)
	}
	// Output: done <nil>
}
