// A Nest application that does nothing but parse JSON and answer: what the API is compared with. Started by a benchmark
// with the answer as its argument; sends its address.
import { Controller, Header, HttpCode, Module, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';

const answer = process.argv[2] ?? '';

@Controller()
class BareController {
  @Post()
  @HttpCode(200)
  @Header('Content-Type', 'application/json; charset=utf-8')
  answer(): string {
    return answer;
  }
}

@Module({ controllers: [BareController] })
class BareModule {}

const app = await NestFactory.create(BareModule, { logger: false });
await app.listen(0, '127.0.0.1');
process.send?.(await app.getUrl());
process.once('disconnect', () => process.exit());
