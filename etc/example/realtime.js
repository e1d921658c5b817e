// A dashboard in small: logs in, opens the WebSocket with the session's cookie, joins rooms, and shows what it
// hears. After a lost connection it asks for what it missed.
'use strict';

const byId = (id) => document.getElementById(id);
const last = {}; // room -> id of the last event seen
let wait = 0;

async function ask(method, path, body) {
	const answer = await fetch(path, {
		method,
		headers: body ? { 'Content-Type': 'application/json' } : {},
		body: body && JSON.stringify(body),
	});
	const reply = answer.status === 204 ? null : await answer.json();
	if (!answer.ok) throw new Error(reply.message);
	return reply;
}

function show(title, text, at) {
	const item = document.createElement('li');
	const add = (tag, content) => (item.appendChild(document.createElement(tag)).textContent = content);
	add('time', new Date(at).toLocaleTimeString());
	add('b', title);
	add('code', text);
	byId('events').prepend(item);
	while (byId('events').children.length > 100) byId('events').lastChild.remove();
}

function state(text, isOpen) {
	byId('state').textContent = text;
	byId('state').className = isOpen ? 'open' : '';
}

function connect(tenantRoom) {
	const socket = new WebSocket(`wss://${location.host}/ws`);
	const say = (message) => socket.send(JSON.stringify(message));

	socket.onmessage = ({ data }) => {
		const m = JSON.parse(data);
		if (m.type === 'connected') {
			wait = 0;
			state('connected', true);
			for (const room of [tenantRoom, `user:${m.userId}`])
				say({ type: 'subscribe', room, since: last[room], presence: room === tenantRoom });
		} else if (m.type === 'event') {
			if (m.id) last[m.room] = m.id;
			show(m.event, JSON.stringify(m.data), m.at);
		} else if (m.type === 'presence' && m.event === 'list') {
			byId('present').textContent = `Here: ${m.users.length}`;
		} else if (m.type === 'presence') {
			say({ type: 'presence', room: m.room });
		} else if (m.type === 'error') {
			byId('problem').textContent = `${m.message} ${m.room || ''}`;
		}
	};
	socket.onclose = ({ code, reason }) => {
		state(`closed: ${code} ${reason}`, false);
		wait = Math.min(30000, wait * 2 + 500);
		if (![4001, 4002, 4003].includes(code)) setTimeout(connect, wait * Math.random(), tenantRoom);
	};
}

async function start() {
	const me = await ask('GET', '/api/auth/me');
	byId('login').hidden = true;
	byId('live').hidden = false;
	byId('who').textContent = `${me.user.email}, ${me.tenant.name}`;
	connect(`tenant:${me.tenant.id}:events`);
}

byId('login').onsubmit = async (event) => {
	event.preventDefault();
	try {
		byId('problem').textContent = '';
		await ask('POST', '/api/auth/login', Object.fromEntries(new FormData(event.target)));
		await start();
	} catch (e) {
		byId('problem').textContent = e.message;
	}
};

byId('project').onsubmit = async (event) => {
	event.preventDefault();
	const name = new FormData(event.target).get('name');
	try {
		byId('problem').textContent = '';
		const slug = name.toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '');
		await ask('POST', '/api/admin/projects', { name, slug });
		event.target.reset();
	} catch (e) {
		byId('problem').textContent = e.message;
	}
};

start().catch(() => {}); // not logged in: the form is there
