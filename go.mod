module github.com/sockeye-go/socketio

go 1.26
