// A Nest application that only parses JSON and answers, as a reference for the API. A benchmark starts it with the
// answer as its argument. The application sends its address.
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
