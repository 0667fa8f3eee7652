-- Deliveries go to a subscriber in the order of the changes they tell of. What changes again while it waits goes to the end, with
-- its newest change: else that would overtake what was written between the two.
CREATE SEQUENCE subscriptions.delivery_position AS bigint;
GRANT USAGE ON SEQUENCE subscriptions.delivery_position TO careseal_app;
ALTER TABLE subscriptions.delivery ADD COLUMN position bigint;
UPDATE subscriptions.delivery d SET position = nextval('subscriptions.delivery_position')
FROM (SELECT id FROM subscriptions.delivery ORDER BY id) AS o WHERE o.id = d.id;
ALTER TABLE subscriptions.delivery
  ALTER COLUMN position SET DEFAULT nextval('subscriptions.delivery_position'),
  ALTER COLUMN position SET NOT NULL;
CREATE INDEX delivery_turn ON subscriptions.delivery (subscription_id, position) WHERE state = 'waiting';
