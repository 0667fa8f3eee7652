-- Lists by kind of actor: without this, asking for what operators did walks the whole log. Nodes write most of it and need no index.
CREATE INDEX event_kind ON audit.event (actor_kind, recorded) WHERE actor_kind <> 'node';
