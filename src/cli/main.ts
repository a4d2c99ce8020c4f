#!/usr/bin/env node
console.log('ftc');
