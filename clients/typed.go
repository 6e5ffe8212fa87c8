package clients

import (
	"context"
	"encoding/json"
	"fmt"
)

// A Codec turns values into payloads and results, and back.
type Codec interface {
	Marshal(v any) ([]byte, error)
	Unmarshal(data []byte, v any) error // v is a pointer
}

// JSON is the codec of [encoding/json].
var JSON Codec = jsonCodec{}

type jsonCodec struct{}

func (jsonCodec) Marshal(v any) ([]byte, error)      { return json.Marshal(v) }
func (jsonCodec) Unmarshal(data []byte, v any) error { return json.Unmarshal(data, v) }

// A Function is a function's name with the types that it takes and returns.
// Declared once, it serves callers and worker alike:
//
//	var Resize = clients.Function[ResizeArgs, Image]{Name: "resize"}
type Function[In, Out any] struct {
	Name  string
	Codec Codec // nil: JSON
}

func (f Function[In, Out]) codec() Codec {
	if f.Codec == nil {
		return JSON
	}
	return f.Codec
}

// Call is [Client.Call] with values. What cannot be encoded is [ErrInvalid]; a
// result that cannot be decoded is an error that holds the decoder's.
func (f Function[In, Out]) Call(ctx context.Context, c *Client, in In, opts ...CallOption) (out Out, err error) {
	payload, err := f.encode("call", in)
	if err != nil {
		return out, err
	}
	result, err := c.Call(ctx, f.Name, payload, opts...)
	if err != nil {
		return out, err
	}
	if err := f.codec().Unmarshal(result, &out); err != nil {
		return out, &Error{Op: "call", Function: f.Name, Sent: true, Err: fmt.Errorf("the result cannot be decoded: %w", err)}
	}
	return out, nil
}

// Submit is [Client.Submit] with a value.
func (f Function[In, Out]) Submit(ctx context.Context, c *Client, in In, opts ...CallOption) (Handle, error) {
	payload, err := f.encode("submit", in)
	if err != nil {
		return Handle{}, err
	}
	return c.Submit(ctx, f.Name, payload, opts...)
}

func (f Function[In, Out]) encode(op string, in In) ([]byte, error) {
	payload, err := f.codec().Marshal(in)
	if err != nil {
		return nil, invalid(op, f.Name, err)
	}
	return payload, nil
}

// Handle is [Worker.Handle] with values. A payload that cannot be decoded is an
// exception.
func (f Function[In, Out]) Handle(w *Worker, h func(ctx context.Context, job *Job, in In) (Out, error), opts ...HandleOption) {
	w.Handle(f.Name, func(ctx context.Context, job *Job) ([]byte, error) {
		var in In
		if err := f.codec().Unmarshal(job.Payload, &in); err != nil {
			return nil, fmt.Errorf("the payload cannot be decoded: %w", err)
		}
		out, err := h(ctx, job, in)
		if err != nil {
			return nil, err
		}
		return f.codec().Marshal(out)
	}, opts...)
}
