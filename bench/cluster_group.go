//go:build linux

package main

// A group is a broker and the nodes of a cluster on it.
type group struct {
	broker  *broker
	members []*member
}

func startGroup(server, adapter string, nodes int, env ...string) (g *group, err error) {
	g = new(group)
	if g.broker, err = startBroker(adapter); err != nil {
		return nil, err
	}
	if server == "node" && adapter == "postgres" {
		if err := makeTable(g.broker.url); err != nil {
			g.stop()
			return nil, err
		}
	}
	for range nodes {
		m, err := startMember(server, adapter, g.broker.url, env...)
		if err != nil {
			g.stop()
			return nil, err
		}
		g.members = append(g.members, m)
	}
	return g, nil
}

func (g *group) pids() (pids []int) {
	for _, m := range g.members {
		pids = append(pids, m.cmd.Process.Pid)
	}
	return pids
}

func (g *group) stop() {
	for _, m := range g.members {
		m.kill()
	}
	g.broker.stop()
}
