-- +goose Up
-- Customers are searched by their address, and visitors of the chat by the four signs that the desk shows of it.
CREATE INDEX conversations_address ON conversations (customer);
CREATE INDEX conversations_visitor ON conversations (SUBSTR(customer, 3, 4)) WHERE channel = 'webchat';
-- +goose Down
DROP INDEX conversations_visitor;
DROP INDEX conversations_address;
