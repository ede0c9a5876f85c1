module devloop/agent

go 1.24
